import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { orWhyNot } from "../../device/loop-device.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { attempt } from "../../support/program.ts";
import { RealTgtd, tgtdMissing } from "./show/real-tgtd.ts";
import { CONTROL_PORT, TgtBench } from "./support/tgt-bench.ts";
import { IN_ONE_ORDER, twoTargetsConf } from "./support/two-targets-conf.ts";

const missing = hasProgram("tgt-admin") ? tgtdMissing() : "tgt-admin is not installed";

const folder = mkdtempSync(join(tmpdir(), "thinlun-tgt-admin-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = join(folder, "targets.conf");
const MIB = 1024 * 1024;

function writeConfig(scsiId: string): void {
  writeFileSync(config, twoTargetsConf(folder, scsiId));
}

const STEPS = [
  "-e",
  "--dump",
  "--show",
  "-e",
  "--offline tid=1",
  "--ready ALL",
  "--update ALL",
  "--update ALL -f",
  "--update iqn.2026-01.com.example:two -f",
  "--delete tid=2 -f",
  "--show",
  "--delete ALL",
  "--delete iqn.2026-01.com.example:none",
  "--show",
];

/** What tgt-admin says, step by step, of the daemon behind a socket. */
async function story(socketBase: string): Promise<string[]> {
  const said: string[] = [];
  for (const step of STEPS) {
    writeConfig(step.startsWith("--update") ? "another" : "first");
    const environment = [
      "PATH=/usr/sbin:/sbin:/usr/bin:/bin",
      `TGT_IPC_SOCKET=${socketBase}`,
      ...IN_ONE_ORDER,
    ];
    const words = [...step.split(" "), "-C", CONTROL_PORT, "-c", config];
    const { status, stdout, stderr } = await attempt("env", ...environment, "tgt-admin", ...words);
    said.push(`${step}: ${status}\n${stdout}${stderr}`);
  }
  return said;
}

describe.skipIf(missing !== null)(`the distribution's tgt-admin${orWhyNot(missing)}`, () => {
  it("does with our daemon what it does with tgt's", async () => {
    for (const name of ["one.img", "two.img"]) {
      writeFileSync(join(folder, name), "");
      truncateSync(join(folder, name), MIB);
    }
    const theirs = await RealTgtd.start();
    let expected: string[];
    try {
      expected = await story(theirs.socketBase);
    } finally {
      await theirs.dispose();
    }
    const ours = await TgtBench.start();
    try {
      expect(await story(ours.socketBase)).toEqual(expected);
    } finally {
      await ours.dispose();
    }
    expect(expected.join("")).toContain("SCSI ID: another");
  });
});
