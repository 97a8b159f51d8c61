import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort, RealTgtd, tgtdMissing } from "../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../device/loop-device.ts";
import { attempt, type Ending } from "../../support/program.ts";

/** The built programs, as users run them. */
const PROGRAMS = join(import.meta.dirname, "../../../dist/src/cli");

const missing = tgtdMissing();

const CONTROL_PORT = "5";
const POLL_MS = 20;
const MIB = 1024 * 1024;
const NAME = "iqn.2026-01.com.example";

/** Units of all types of stores that both have; `{}` is the folder of the files of tgtd. */
const SETUP = `
-o new -m target -t 3 -T ${NAME}:three
-o new -m lu -t 3 -l 1 -b {}/one.img
-o new -m lu -t 3 -l 2 -b {}/two.img -E aio
-o new -m lu -t 3 -l 5 -b {}/three.img -f sync:direct -y 4096
-o new -m lu -t 3 -l 6 -b /dev/null -E null
-o new -m lu -t 3 -l 7
-o update -m lu -t 3 -l 1 -P scsi_id=volume-83c2e877-feed-46be-8435-77884f31a26f,scsi_sn=SN-1
-o update -m lu -t 3 -l 2 -P readonly=1
-o update -m lu -t 3 -l 5 -P thin_provisioning=1
-o update -m lu -t 3 -l 6 -P removable=1
-o new -m target -t 1 -T ${NAME}:one
-o new -m lu -t 1 -l 1 -b {}/four.img
-o update -m lu -t 1 -l 1 -P online=0
-o new -m account -u alice -p alices-password
-o new -m account -u bob -p bobs-password
-o new -m account -u carol -p carols-password
-o new -m account -u free -p frees-password
-o bind -m account -t 3 -u bob
-o bind -m account -t 3 -u alice
-o bind -m account -t 3 -u carol --outgoing
-o bind -m account -u bob
-o bind -m account -u carol --outgoing
-o bind -m target -t 3 -I 10.0.0.0/8
-o bind -m target -t 3 -I fe80::/10
-o bind -m target -t 3 -I 192.0.2.7 -Q ${NAME}:other
-o bind -m target -t 3 -Q ${NAME}:host
-o bind -m target -t 1 -I ALL
-o new -m target -t 9 -T ${NAME}:nobody
-o update -m target -t 3 -n MaxRecvDataSegmentLength -v 262144
-o update -m target -t 3 -n HeaderDigest -v CRC32C
-o update -m target -t 3 -n MaxQueueCmd -v 17
-o update -m target -t 3 -n nop_interval -v 5
-o update -m target -t 3 -n nop_count -v 4
-o update -m target -t 1 -n state -v offline
-o update -m target -t 9 -n RedirectAddress -v 192.0.2.9
-o update -m target -t 9 -n RedirectPort -v 3260
-o update -m target -t 9 -n RedirectReason -v Temporary
`;

/** What both show, apart from what is built in. */
const SHOWS = [
  "-o show -m target",
  "-o show -m target -t 1",
  "-o show -m target -t 3",
  "-o show -m target -t 9",
  "-o show -m account",
];

const IN_SYSTEM = /^ {4}Account information:\n\n(?: {4}.*\n)*/m;

let folder: string;
let tgtd: RealTgtd;
let pid: number;

function run(program: string, words: readonly string[], socket: string): Promise<Ending> {
  const path = `PATH=${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const file = join(PROGRAMS, `${program}.cjs`);
  const state = ["--state-dir", join(folder, "state")];
  const own = program === "tgtadm" ? [] : state;
  const environment = [path, `TGT_IPC_SOCKET=${socket}`];
  return attempt("env", "-i", ...environment, process.execPath, file, ...words, ...own);
}

async function ours(line: string): Promise<string> {
  const words = ["-C", CONTROL_PORT, ...line.split(" ")];
  return (await run("tgtadm", words, join(folder, "socket"))).stdout;
}

async function theirs(line: string): Promise<string> {
  const { status, stdout, stderr } = await tgtd.tgtadm(...line.split(" "));
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout;
}

function importTgt(...words: readonly string[]): Promise<Ending> {
  const line = ["import-tgt", "--running", "--control-port", "1", ...words];
  return run("thinlun", line, tgtd.socketBase);
}

async function isGone(): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(POLL_MS);
  }
}

describe.skipIf(missing !== null)(`a tgtd that runs${orWhyNot(missing)}`, () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "thinlun-import-"));
    tgtd = await RealTgtd.start();
    for (const name of ["one.img", "two.img", "three.img", "four.img"]) tgtd.file(name, 8 * MIB);
    const portal = ["--iscsi", `portal=127.0.0.1:${await freePort()}`];
    const words = ["-C", CONTROL_PORT, "-p", join(folder, "pid"), ...portal];
    expect(await run("tgtd", words, join(folder, "socket"))).toMatchObject({ status: 0 });
    pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  });

  afterEach(async () => {
    process.kill(pid, "SIGTERM");
    await isGone();
    await tgtd.dispose();
    rmSync(folder, { recursive: true });
  });

  async function setUp(lines: string): Promise<void> {
    for (const line of lines.trim().split("\n")) await theirs(line.replace("{}", tgtd.folder));
  }

  it("is taken over: what it showed is what ours shows, and a second time nothing changes", async () => {
    await setUp(SETUP);
    const dry = await importTgt("--dry-run", "--force");
    expect(dry.status, dry.stderr).toBe(0);
    for (const name of ["three", "one", "nobody"]) {
      expect(dry.stdout).toContain(`create target ${NAME}:${name}`);
    }
    expect(dry.stdout).toContain("note: the password of account alice is not known");
    expect(dry.stdout).toMatch(/Nothing was changed: this is what would\.\n$/);
    expect(await ours("-o show -m target")).toBe("");
    expect(await ours("-o show -m account")).toBe("");
    const done = await importTgt("--force");
    expect(done).toMatchObject({ status: 0, stderr: "" });
    expect(done.stdout).toMatch(/Done\.\n$/);
    for (const line of SHOWS) expect(await ours(line), line).toBe(await theirs(line));
    const [system, tgt] = [await ours("-o show -m sys"), await theirs("-o show -m sys")];
    expect(IN_SYSTEM.exec(system)?.[0]).toBe(IN_SYSTEM.exec(tgt)?.[0]);
    const again = await importTgt("--force");
    expect(again.stdout).toMatch(/Everything is as in tgt: nothing changes\.\n$/);
  });

  it("is taken over offline, as it still has the disks open, and with the passwords of its file", async () => {
    await setUp(SETUP);
    const conf = join(folder, "targets.conf");
    writeFileSync(conf, "<target x>\nincominguser alice alices-password\n</target>\n");
    const { status, stdout } = await importTgt("--conf", conf);
    expect(status).toBe(0);
    expect(stdout).toContain(`note: target ${NAME}:three is offline, as others may have`);
    expect(stdout).not.toContain("account alice is not known");
    expect(stdout).toContain("account bob is not known");
    const shown = await ours("-o show -m target");
    expect(shown.match(/State: offline/g)).toHaveLength(2);
    expect(shown).toMatch(/:nobody\n {4}System information:\n.*\n {8}State: ready\n/);
  });

  it("is not taken over at all where it has a unit that is not built in, which is named", async () => {
    await setUp(SETUP);
    await setUp("-o new -m lu -t 1 -l 2 -Y cd -b {}/two.img");
    const { status, stdout, stderr } = await importTgt("--force");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`target ${NAME}:one: LUN 2`);
    expect(await ours("-o show -m target")).toBe("");
  });
});
