import { hostname } from "node:os";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { setupLun } from "../../../../src/cli/tgt/setup-lun/setup-lun.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { RealTgtd, tgtdMissing } from "../../../control/tgt/show/real-tgtd.ts";
import { orWhyNot } from "../../../device/loop-device.ts";
import { hasProgram } from "../../../support/debian-packages.ts";

const PROGRAM = "tgt-setup-lun";

function missingHere(): string | null {
  const needed = [PROGRAM, "bash", "pidof", "hostname"].find((name) => !hasProgram(name));
  return needed === undefined ? tgtdMissing() : `${needed} is not installed`;
}

const missing = missingHere();

interface Seen {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the daemon has afterwards. */
  readonly targets: string;
}

let theirs: RealTgtd;
let ours: RealTgtd;

async function targetsOf(tgtd: RealTgtd): Promise<string> {
  return (await tgtd.tgtadm("--op", "show", "--mode", "target")).stdout;
}

async function real(words: readonly string[], answer: string): Promise<Seen> {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path, TGT_IPC_SOCKET: theirs.socketBase };
  const child = spawn(PROGRAM, words, { env, stdio: ["pipe", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${answer}\n`);
  await once(child, "close");
  // The shell's complaints begin with the path of the script.
  const said = stderr.replaceAll(/^\S*\/tgt-setup-lun/gm, PROGRAM);
  return { status: child.exitCode, stdout, stderr: said, targets: await targetsOf(theirs) };
}

async function own(words: readonly string[], answer: string): Promise<Seen> {
  let [stdout, stderr] = ["", ""];
  const variables = { TGT_IPC_SOCKET: ours.socketBase };
  const status = await setupLun(words, {
    calledAs: PROGRAM,
    hostName: hostname().split(".", 1)[0] ?? "",
    tgtadm: (line) => tgtadm(line, { calledAs: "tgtadm", variables }),
    print: (text) => (stdout += text),
    complain: (text) => (stderr += text),
    ask: () => Promise.resolve(answer),
  });
  return { status, stdout, stderr, targets: await targetsOf(ours) };
}

describe.skipIf(missing !== null)(
  `the tgt-setup-lun of the distribution${orWhyNot(missing)}`,
  () => {
    beforeAll(async () => {
      [theirs, ours] = await Promise.all([RealTgtd.start(), RealTgtd.start()]);
      for (const tgtd of [theirs, ours]) {
        for (const name of ["one.img", "two.img", "three.img"]) tgtd.file(name, 1024 * 1024);
      }
    });

    afterAll(async () => {
      await Promise.all([theirs.dispose(), ours.dispose()]);
    });

    // The script starts some programs for each line of the list of targets: short lists keep it quick.
    afterEach(async () => {
      for (const tgtd of [theirs, ours]) {
        for (const [, id = ""] of (await targetsOf(tgtd)).matchAll(/^Target (\d+):/gm)) {
          await tgtd.tgtadm("--op", "delete", "--mode", "target", "--tid", id, "--force");
        }
      }
    });

    const B = "iqn.2026-01.com.example:b";
    it.each<{ after: string; steps: readonly (readonly [line: string, answer?: string])[] }>([
      {
        after: "a target and another LUN",
        steps: [
          ["-C 1 -n disk -d one.img"],
          ["-C 1 -n disk -d two.img", "no"],
          ["-C1 -n disk -d two.img", "yes"],
        ],
      },
      {
        after: "two LUNs with options",
        steps: [
          [`-z -C 1 -n ${B} -d two.img -b aio -B 4096 10.0.0.1 nobody/99 10.0.0.1`],
          [`-C 1 -n ${B} -d three.img 10.0.0.1 10.0.0.3`, " yes "],
        ],
      },
      {
        after: "null and a missing file",
        steps: [["-C 1 -d /dev/null -b null -t iscsi ALL"], ["-C 1 -n missing -d missing.img"]],
      },
      {
        after: "targets that cannot be made",
        steps: [["-C 1 -n wrong_name -d one.img"], ["-C 1 -t nothing -n driver -d one.img"]],
      },
      {
        after: "what is wrong at once",
        steps: [["-C 1 -n nodevice"], ["-C x -n port -d one.img"]],
      },
    ])("leaves what ours leaves after $after", async ({ steps }) => {
      for (const [line, answer = ""] of steps) {
        const words = line.split(" ");
        expect(await own(words, answer.trim()), line).toEqual(await real(words, answer));
      }
    });

    it("ends as ours does where it only helps", async () => {
      for (const words of [[], ["-h", "x"]]) {
        const [{ stdout: theirHelp, ...expected }, { stdout: help, ...got }] = [
          await real(words, ""),
          await own(words, ""),
        ];
        expect(got).toEqual(expected);
        // Both begin with the same form of the command line; the rest explains it.
        expect(help.split("\n").slice(0, 2)).toEqual(theirHelp.split("\n").slice(0, 2));
      }
    });
  },
);
