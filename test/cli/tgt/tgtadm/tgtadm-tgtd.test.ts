import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOf, byteWords } from "../../../../src/cli/tgt/byte-words.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import type { Ending } from "../../../support/program.ts";
import { randomCommandLine } from "./command-lines.ts";
import { goldenLines } from "./golden.ts";

const missing = tgtdMissing();

const LINES = 200;
const FILE_BYTES = 4 * 1024 * 1024;
const IQN = "iqn.2026-01.com.example";

/** Makes something of everything, asks for all of it, and changes and deletes it. */
const SCENARIO = `
-o show -m target
-o new -m target -t 1 -T ${IQN}:one
-o new -m target -t 2 -T ${IQN}:two
-o new -m lu -t 1 -l 1 -b one.img
-o new -m lu -t 1 -l 2 -b two.img -E aio -f direct -y 4096
-o new -m lu -t 1 -l 3 -b none.img
-o new -m lu -t 2 -l 1 -E null -b /dev/null
-o update -m lu -t 1 -l 1 -P scsi_id=anID,scsi_sn=aSN,vendor_id=V
-o update -m lu -t 1 -l 1 --params bogus=1
-o bind -m target -t 1 -I ALL
-o bind -m target -t 1 -I 10.0.0.0/8 -Q ${IQN}:host
-o bind -m target -t 2 --initiator-name ${IQN}:host
-o new -m account -u alice -p secret
-o new -m account -u bob -p secret
-o bind -m account -t 1 -u alice
-o bind -m account -t 1 -u bob --outgoing
-o bind -m account -u bob
-o update -m target -t 1 -n MaxRecvDataSegmentLength -v 65536
-o update -m target -t 2 -n state -v offline
-o update -m sys -n State -v offline
-o show -m target
-o show -m target -t 1
-o show -m target -t 9
-o show -m sys
-o show -m account
-o show -m portal
-o show -m lld
-o show -m conn -t 1
-o stat -m target -t 1
-o stat -m lu -t 1 -l 1
-o stat -m sys
-o stat -m session -t 1 -s 1
-o stop -m lld -L iscsi
-o unbind -m target -t 1 -I 10.0.0.0/8
-o unbind -m account -t 1 -u bob --outgoing
-o delete -m account -u alice
-o delete -m lu -t 1 -l 2
-o delete -m target -t 2 --force
-o delete -m sys
-o show -m target -d
`;

/** Both daemons get the same; one from the distribution's tgtadm, the other from ours. */
let theirs: RealTgtd;
let ours: RealTgtd;

async function askOurs(words: readonly string[]): Promise<Ending> {
  const { status, stdout, stderr } = await tgtadm(byteWords(["-C", "1", ...words]), {
    calledAs: "tgtadm",
    variables: { TGT_IPC_SOCKET: ours.socketBase },
  });
  const decode = (text: string): string =>
    bytesOf(text).toString("utf8").replaceAll(`:${ours.port}`, ":PORT");
  return { status, stdout: decode(stdout), stderr: decode(stderr) };
}

async function askTheirs(words: readonly string[]): Promise<Ending> {
  const { status, stdout, stderr } = await theirs.tgtadm(...words);
  return { status, stdout: stdout.replaceAll(`:${theirs.port}`, ":PORT"), stderr };
}

/**
 * Lines that two daemons cannot answer alike: those that end one, so that what follows is compared with nobody, and those
 * that make both listen at one address. tgtd 1.0.85 dies of an account that is deleted without a name.
 */
function isForOneDaemon(words: readonly string[]): boolean {
  const line = words.join(" ");
  if (/new/.test(line) && /portal|pt/.test(line)) return true;
  return /delete/.test(line) && /sys|account/.test(line);
}

async function expectBothAlive(): Promise<void> {
  const words = ["-o", "show", "-m", "target"];
  expect([(await askTheirs(words)).status, (await askOurs(words)).status]).toEqual([0, 0]);
}

describe.skipIf(missing !== null)(`tgtadm and a real tgtd${orWhyNot(missing)}`, () => {
  beforeAll(async () => {
    [theirs, ours] = await Promise.all([RealTgtd.start(), RealTgtd.start()]);
    for (const tgtd of [theirs, ours]) {
      for (const name of ["one.img", "two.img"]) tgtd.file(name, FILE_BYTES);
    }
  });

  afterAll(async () => {
    await Promise.all([theirs.dispose(), ours.dispose()]);
  });

  it("say the same through ours as through the distribution's", async () => {
    for (const line of SCENARIO.trim().split("\n")) {
      const words = line.split(" ");
      expect(await askOurs(words), line).toEqual(await askTheirs(words));
    }
    expect((await askTheirs(["-o", "show", "-m", "target"])).stdout).toContain("SCSI ID: anID");
  });

  it("say the same to each line that is recorded", async () => {
    for (const line of goldenLines()) {
      const words = line.split(" ");
      if (isForOneDaemon(words)) continue;
      expect(await askOurs(words), line).toEqual(await askTheirs(words));
    }
    await expectBothAlive();
  });

  it("say the same to random lines", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    for (let count = 0; count < LINES; count += 1) {
      const words = randomCommandLine(random);
      if (isForOneDaemon(words) || words.some((word) => /^(-h|--he)/.test(word))) continue;
      const expected = await askTheirs(words);
      expect(await askOurs(words), `seed ${seed}: ${JSON.stringify(words)}`).toEqual(expected);
    }
    await expectBothAlive();
  });

  it("end when they are told to, which both tools wait for", async () => {
    const made = ["-o", "new", "-m", "target", "-t", "77", "-T", `${IQN}:last`];
    expect(await askOurs(made)).toEqual(await askTheirs(made));
    const { stdout } = await askTheirs(["-o", "show", "-m", "target"]);
    const targets = [...stdout.matchAll(/^Target (\d+):/gm)].map(([, id = ""]) => id);
    expect(targets).toContain("77");
    for (const target of targets) {
      const words = ["-o", "delete", "-m", "target", "-t", target, "--force"];
      expect(await askOurs(words)).toEqual(await askTheirs(words));
    }
    const words = ["-o", "delete", "-m", "system"];
    expect(await askOurs(words)).toEqual(await askTheirs(words));
    expect(await askOurs(["-o", "show", "-m", "target"])).toMatchObject({ status: 107 });
  });
});
