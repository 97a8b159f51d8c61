import { describe, expect, it } from "vitest";
import { actorOf, daemonOf } from "../../../src/control/operations/operated-daemon.ts";
import { DISK } from "./support/daemon-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

describe("operations on a daemon", () => {
  it("are not there for a command that works on a pool by itself", async () => {
    const bench = await OperationBench.make();
    try {
      expect(() => daemonOf(bench.context)).toThrow("this takes a daemon");
      for (const [name, body] of [
        ["target/list", {}],
        ["target/show", { target: DISK }],
        ["target/create", {}],
        ["session/list", {}],
        ["account/list", {}],
        ["portal/list", {}],
        ["lun/list", {}],
        ["system/status", {}],
        ["system/apply", { document: "{}" }],
        ["pool/add", { pool: "a", devices: ["/dev/null"] }],
      ] as const) {
        await expect(bench.attempt(name, body), name).rejects.toMatchObject({
          kind: "unsupported",
        });
      }
    } finally {
      await bench.dispose();
    }
  });

  it("are asked for by somebody", () => {
    const request = { body: {}, payload: new Uint8Array(0), progress: () => undefined };
    const context = {} as Parameters<typeof daemonOf>[0];
    expect(actorOf({ ...request, context })).toEqual({ name: "control socket" });
    expect(actorOf({ ...request, context, by: "alice" })).toEqual({ name: "alice" });
  });
});
