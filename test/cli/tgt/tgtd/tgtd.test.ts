import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import { tgtd } from "../../../../src/cli/tgt/tgtd/tgtd.ts";
import { freePort } from "../../../control/tgt/show/real-tgtd.ts";
import { attempt, type Ending } from "../../../support/program.ts";

/** The built program, as users run it. */
const PROGRAM = join(import.meta.dirname, "../../../../dist/src/cli/tgtd.cjs");
const POLL_MS = 20;

let folder: string;
let portal: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-tgtd-"));
  portal = `portal=127.0.0.1:${await freePort()}`;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function variables(): Readonly<Record<string, string>> {
  return { TGT_IPC_SOCKET: join(folder, "socket") };
}

function run(...words: readonly string[]): Promise<Ending> {
  const { PATH = "" } = process.env;
  const environment = [`PATH=${PATH}`, `TGT_IPC_SOCKET=${variables()["TGT_IPC_SOCKET"]}`];
  const place = ["--iscsi", portal, "--state-dir", join(folder, "state")];
  return attempt("env", "-i", ...environment, process.execPath, PROGRAM, ...place, ...words);
}

function ask(line: string): ReturnType<typeof tgtadm> {
  const words = ["-C", "5", ...line.split(" ")];
  return tgtadm(words, { calledAs: "tgtadm", variables: variables() });
}

async function isGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(POLL_MS);
  }
}

describe("tgtd", () => {
  it("is up in the background when its command ends, keeps what it has, and ends when it is told", async () => {
    const pidFile = join(folder, "pid");
    expect(await run("-C", "5", "-p", pidFile)).toEqual({ status: 0, stdout: "", stderr: "" });
    const pid = Number(readFileSync(pidFile, "utf8"));
    try {
      const target = "-o new -m target -t 4 -T iqn.2026-01.com.example:four";
      expect(await ask(target)).toEqual({ status: 0, stdout: "", stderr: "" });
      portal = `portal=127.0.0.1:${await freePort()}`;
      const second = await run("-C", "5", "--state-dir", join(folder, "other"));
      expect(second).toMatchObject({ status: 1, stdout: "" });
      expect(second.stderr).toContain(`another tgtd is using ${join(folder, "socket.5.lock")}`);
    } finally {
      process.kill(pid, "SIGTERM");
      await isGone(pid);
    }
    expect(existsSync(pidFile)).toBe(false);
    expect(await run("-C", "5", "-p", pidFile)).toMatchObject({ status: 0 });
    const next = Number(readFileSync(pidFile, "utf8"));
    expect((await ask("-o show -m target")).stdout).toContain("Target 4: ");
    expect(await ask("-o delete -m target -t 4")).toMatchObject({ status: 0 });
    expect(await ask("-o delete -m system")).toMatchObject({ status: 0 });
    await isGone(next);
  });

  it("says more in its log while debug is on, from the start or since tgtadm said so, and shows pings", async () => {
    const pidFile = join(folder, "pid");
    portal += ",nop_interval=7,nop_count=3";
    expect(await run("-C", "5", "-p", pidFile, "-d", "1")).toMatchObject({ status: 0 });
    const pid = Number(readFileSync(pidFile, "utf8"));
    try {
      const log = join(folder, "state", "tgtd.log");
      // The line is written before the answer is.
      const toldOf = async (line: string): Promise<number> => {
        const before = readFileSync(log, "utf8").length;
        expect(await ask(line)).toMatchObject({ status: 0 });
        return readFileSync(log, "utf8").slice(before).split('"level":"debug"').length - 1;
      };
      const show = "-o show -m target";
      expect((await ask("-o show -m sys")).stdout).toContain("    debug: on\n");
      expect(await toldOf(show)).toBe(1);
      await ask("-o update -m sys -n debug -v off");
      expect((await ask("-o show -m sys")).stdout).toContain("    debug: off\n");
      expect(await toldOf(show)).toBe(0);
      await ask("-o update -m sys -n debug -v on");
      expect(await toldOf(show)).toBe(1);
      await ask("-o new -m target -t 1 -T iqn.2026-01.com.example:one");
      expect((await ask(`${show} -t 1`)).stdout).toMatch(/^nop_interval=7\nnop_count=3\n/);
    } finally {
      process.kill(pid, "SIGTERM");
      await isGone(pid);
    }
  });

  it("says what it lacks where it cannot start", async () => {
    for (const words of [["-f"], []]) {
      const ending = await run("--config", join(folder, "none.yaml"), ...words);
      expect(ending).toMatchObject({ status: 1, stdout: "" });
      expect(ending.stderr).toMatch(/^tgtd: .*none\.yaml/);
    }
  });

  it("prints its version without a daemon", async () => {
    const ending = await tgtd(["-V"], { calledAs: "tgtd", variables: {} });
    expect(ending).toEqual({ status: 0, stdout: "1.0.85\n", stderr: "" });
  });
});
