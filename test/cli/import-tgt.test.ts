import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Operations } from "../../src/cli/control-client.ts";
import { importText, importTgt } from "../../src/cli/import-tgt.ts";
import type { ArgumentsOf, OperationName, ReplyOf } from "../../src/control/protocol.ts";
import { DaemonBench } from "../control/operations/support/daemon-bench.ts";
import { TgtBench } from "../control/tgt/support/tgt-bench.ts";

const A = "iqn.2026-01.com.example:a";
const B = "iqn.2026-01.com.example:b";

let bench: DaemonBench;
beforeEach(async () => {
  bench = await DaemonBench.make();
});
afterEach(() => bench.dispose());

function daemon(): Pick<Operations, "call"> {
  return {
    call: <Name extends OperationName>(
      name: Name,
      body: ArgumentsOf<Name>,
    ): Promise<ReplyOf<Name>> => bench.run(name, body),
  };
}

function file(name: string): string {
  const path = join(bench.folder, name);
  writeFileSync(path, Buffer.alloc(1024 * 1024));
  return path;
}

function conf(text: string): string {
  const path = join(bench.folder, "t.conf");
  writeFileSync(path, text);
  return path;
}

function options(more: object = {}): Parameters<typeof importTgt>[1] {
  return {
    conf: undefined,
    running: false,
    "control-port": 1,
    "dry-run": false,
    force: false,
    ...more,
  };
}

const NOBODY = { TGT_IPC_SOCKET: "/nowhere/socket" };

describe("importTgt", () => {
  it("takes a configuration over: numbers, identities, passwords; a second time nothing changes", async () => {
    const path = conf(`incomingdiscoveryuser d discovery-pass
<target ${A}>
  backing-store ${file("one")}
  incominguser u user-password
  controller_tid 7
</target>
<target ${B}>
  <backing-store ${file("two")}>
    scsi_sn own-serial
    lun 5
  </backing-store>
  backing
</target>
`);
    const dry = await importTgt(daemon(), options({ conf: path, "dry-run": true }), NOBODY);
    expect(dry.differences).toContain(`create target ${A}`);
    expect(dry.notes).toEqual([expect.stringContaining('unknown option "backing"')]);
    expect(bench.harness.plane.view.all.targets).toEqual([]);
    await importTgt(daemon(), options({ conf: path }), NOBODY);
    expect(bench.harness.plane.view.all.targets).toMatchObject([
      {
        name: A,
        tid: 7,
        luns: [{ lun: 1, tgt: { scsiId: "IET     00070001", scsiSn: "beaf71" } }],
      },
      {
        name: B,
        tid: 8,
        luns: [{ lun: 5, tgt: { scsiId: "IET     00080005", scsiSn: "own-serial" } }],
      },
    ]);
    const { discovery } = bench.harness.plane.view.all;
    expect(discovery.authentication?.accounts[0]?.secret.reveal()).toBe("discovery-pass");
    const again = await importTgt(daemon(), options({ conf: path }), NOBODY);
    expect(again.differences).toEqual([]);
  });

  it("takes over what a daemon that runs tells, and says what it does not", async () => {
    const tgtd = await TgtBench.start();
    try {
      await tgtd.must(
        `--op new --mode target --tid 3 -T ${A}`,
        "--op new --mode logicalunit --tid 3 --lun 4 -b /dev/null -E null",
        "--op new --mode account --user u --password user-password",
        "--op new --mode account --user v --password other-password",
        "--op bind --mode account --tid 3 --user u",
        "--op bind --mode account --tid 3 --user v",
        "--op bind --mode target --tid 3 -I 10.0.0.0/8",
      );
      const path = conf(`<target x>\nincominguser u user-password\n</target>\n`);
      const variables = { TGT_IPC_SOCKET: tgtd.socketBase };
      const args = options({ running: true, conf: path });
      const { notes } = await importTgt(daemon(), args, variables);
      expect(notes.join("\n")).toContain("the password of account v is not known");
      expect(notes.join("\n")).toContain("tgtd does not tell everything");
      const [target] = bench.harness.plane.view.all.targets;
      expect(target).toMatchObject({
        name: A,
        tid: 3,
        state: "ready",
        access: { addresses: ["10.0.0.0/8"] },
        luns: [{ lun: 4, tgt: { scsiId: "IET     00030004" } }],
      });
      const [known, unknown] = target?.authentication?.accounts ?? [];
      expect(known?.secret.reveal()).toBe("user-password");
      expect(unknown?.secret.reveal()).toMatch(/^[0-9a-f]{16}$/);
      await importTgt(daemon(), options({ running: true }), variables);
      expect(bench.harness.plane.view.all.accounts).toHaveLength(2);
    } finally {
      await tgtd.dispose();
    }
  });

  it("refuses what cannot be, and changes nothing", async () => {
    const running = importTgt(daemon(), options({ running: true }), NOBODY);
    await expect(running).rejects.toMatchObject({ kind: "missing" });
    const wrong = importTgt(daemon(), options({ conf: conf("<target a>\n") }), NOBODY);
    await expect(wrong).rejects.toMatchObject({ kind: "invalid" });
    const text = `<target ${A}>\ndriver iser\n</target>\n`;
    const iser = importTgt(daemon(), options({ conf: conf(text) }), NOBODY);
    await expect(iser).rejects.toMatchObject({ kind: "invalid" });
    expect(bench.harness.plane.view.all.targets).toEqual([]);
  });
});

describe("importText", () => {
  it("tells what is different, what is in use, and what there is to know", () => {
    const report = {
      differences: ["create target x"],
      inUse: ["y"],
      configured: [],
      notes: ["mind z"],
    };
    expect(importText(report, true)).toBe(
      "create target x\ntarget y is in use, and stays as it is: give --force\nnote: mind z\n" +
        "Nothing was changed: this is what would.\n",
    );
    expect(importText({ differences: [], inUse: [], configured: [], notes: [] }, false)).toContain(
      "nothing changes",
    );
  });
});
