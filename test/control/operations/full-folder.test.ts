import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { systemSteps } from "../../../src/control/durable-file.ts";
import type { OperationName } from "../../../src/control/protocol.ts";
import { reportLuns } from "../../../src/initiator/scsi.ts";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

/*
 * A state folder that is full, or read-only: what cannot be kept is not done.
 */

const OTHER = "iqn.2026-11.net.example:other";
const SECRET = "wonderland-123456";

let bench: DaemonBench;
let failure: string | null;

beforeEach(async () => {
  failure = null;
  bench = await DaemonBench.make(() => ({
    steps: {
      ...systemSteps,
      write: (path, text) =>
        failure === null ? systemSteps.write(path, text) : Promise.reject(new Error(failure)),
    },
  }));
  await bench.makePool("a", "b");
  await bench.run("target/create", { name: DISK });
  await bench.run("target/map", { target: DISK, volume: "tank/a" });
  await bench.run("account/create", { user: "alice", password: SECRET });
});

afterEach(() => bench.dispose());

/** Everything that can be told of what there is. */
async function everything(): Promise<unknown> {
  return [
    await bench.run("target/list", {}),
    await bench.run("account/list", {}),
    await bench.run("portal/list", {}),
    (await bench.run("pool/list", {})).map(({ name }) => name),
    [...bench.harness.parts.volumes.volumes.keys()],
  ];
}

const ATTEMPTS: readonly (readonly [OperationName, object])[] = [
  ["target/create", { name: OTHER }],
  ["target/set", { target: DISK, state: "offline" }],
  ["target/map", { target: DISK, volume: "tank/b" }],
  ["target/unmap", { target: DISK, lun: 0 }],
  ["target/allow", { target: DISK, addresses: ["192.0.2.1"] }],
  ["target/auth", { target: DISK, users: [{ user: "alice" }] }],
  ["target/delete", { target: DISK, force: true }],
  ["account/set", { user: "alice", password: `${SECRET}7` }],
  ["account/delete", { user: "alice" }],
  ["portal/create", { listen: "127.0.0.2:0" }],
  ["system/apply", { document: stringify({ targets: [{ name: OTHER, luns: [] }] }) }],
  ["system/apply", { document: "targets: []", prune: true }],
];

describe("a state folder to which nothing can be written", () => {
  it.each(["ENOSPC: no space left on device", "EROFS: read-only file system"])(
    "leaves everything as it was, and nobody is disturbed: %s",
    async (reason) => {
      const session = await bench.login();
      const before = await everything();
      failure = reason;
      for (const [name, body] of ATTEMPTS) {
        await expect(bench.attempt(name, body), name).rejects.toMatchObject({
          kind: expect.stringMatching(/^(?:io|failed)$/),
          message: expect.stringContaining(reason),
        });
        expect(await everything(), name).toEqual(before);
      }
      expect(session.closed).toBe(null);
      expect(await reportLuns(session)).toEqual([0]);
      failure = null;
      await bench.run("target/create", { name: OTHER });
      await bench.restart();
      expect(await bench.run("target/list", {})).toHaveLength(2);
    },
  );
});
