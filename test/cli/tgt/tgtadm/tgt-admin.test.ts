import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { attempt } from "../../../support/program.ts";
import { IN_ONE_ORDER, twoTargetsConf } from "../../../control/tgt/support/two-targets-conf.ts";

/** The built program, as users run it. */
const OURS = join(import.meta.dirname, "../../../../dist/src/cli/tgtadm.cjs");

const missing = hasProgram("tgt-admin") ? tgtdMissing() : "tgt-admin is not installed";

const folder = mkdtempSync(join(tmpdir(), "thinlun-tgt-admin-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = join(folder, "targets.conf");

function writeConfig(scsiId: string): void {
  writeFileSync(config, twoTargetsConf(folder, scsiId));
}

const STEPS = ["-e", "--dump", "--update ALL -f", "--delete tid=2 -f"];

/** What tgt-admin says, with its tgtadm from this folder, and what the daemon has at last. */
async function story(tools: string): Promise<string[]> {
  const tgtd = await RealTgtd.start();
  try {
    const said: string[] = [];
    for (const step of STEPS) {
      writeConfig(step.startsWith("--update") ? "another" : "first");
      const environment = [
        `PATH=${tools}:/usr/sbin:/sbin:/usr/bin:/bin`,
        `TGT_IPC_SOCKET=${tgtd.socketBase}`,
        ...IN_ONE_ORDER,
      ];
      const words = [...step.split(" "), "-C", "1", "-c", config];
      const { status, stdout, stderr } = await attempt(
        "env",
        ...environment,
        "tgt-admin",
        ...words,
      );
      said.push(`${step}: ${status}\n${stdout}${stderr}`);
    }
    said.push((await tgtd.tgtadm("--op", "show", "--mode", "target")).stdout);
    return said;
  } finally {
    await tgtd.dispose();
  }
}

describe.skipIf(missing !== null)(`the distribution's tgt-admin${orWhyNot(missing)}`, () => {
  it("does with our tgtadm what it does with its own", async () => {
    for (const name of ["one.img", "two.img"]) {
      writeFileSync(join(folder, name), "");
      truncateSync(join(folder, name), 1024 * 1024);
    }
    const tool = join(folder, "tgtadm");
    writeFileSync(tool, `#!/bin/sh\nexec "${process.execPath}" "${OURS}" "$@"\n`);
    chmodSync(tool, 0o755);
    const expected = await story("/usr/sbin");
    expect(await story(folder)).toEqual(expected);
    expect(expected.at(-1)).toContain("SCSI ID: another");
  });
});
