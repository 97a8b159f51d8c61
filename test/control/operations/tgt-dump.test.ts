import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dumpTgt } from "../../../src/control/operations/tgt-dump.ts";
import { DaemonBench, DISK } from "./support/daemon-bench.ts";

let bench: DaemonBench;
beforeEach(async () => {
  bench = await DaemonBench.make();
});
afterEach(() => bench.dispose());

describe("dumpTgt", () => {
  it("tells of targets that tgt's commands have not made as well as their words can", async () => {
    await bench.makePool("vol");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/vol", lun: 4 });
    const document = await dumpTgt({
      context: bench.context,
      body: { withSecrets: true },
      payload: new Uint8Array(0),
      progress: () => undefined,
    });
    expect(document).toMatchObject({
      targets: [
        {
          name: DISK,
          tid: 1,
          addresses: ["ALL"],
          luns: [{ lun: 4, path: "tank/vol", bsType: "thin", bsOpenFlags: null }],
        },
      ],
      accounts: [],
      discovery: null,
    });
  });

  it("names a volume that a document calls by its name in the pool, and a disk where tgt has its controller", async () => {
    await bench.makePool("first", "vol");
    const document = `
volumes:
  first: { driver: thin, pool: tank }
  vol: { driver: thin, pool: tank }
targets:
  - name: ${DISK}
    luns: [{ lun: 0, volume: first }, { lun: 1, volume: vol }]
`;
    await bench.run("system/apply", { document });
    const { targets } = await dumpTgt({
      context: bench.context,
      body: { withSecrets: false },
      payload: new Uint8Array(0),
      progress: () => undefined,
    });
    expect(targets).toMatchObject([
      {
        luns: [{ lun: 1, path: "tank/vol", bsType: "thin" }],
        settings: [{ name: "lun 0", value: "tank/first" }],
      },
    ]);
  });
});
