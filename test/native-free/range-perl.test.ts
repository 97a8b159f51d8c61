import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startLineChild } from "../../native-free/child-process.ts";
import { FileLockedError, lockFile } from "../../native-free/file-lock.ts";
import { rangePerl } from "../../native-free/range-perl.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { spawnMortal } from "../support/mortal-child.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-range-perl-"));
const path = join(folder, "image");
const SIZE = 1024 * 1024;
beforeEach(() => writeFileSync(path, Buffer.alloc(SIZE, 0xaa)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const known = rangePerl("x64")!;

describe("the choice by architecture", () => {
  it("knows the number of the call, or leaves it", () => {
    expect(known.args.join(" ")).toContain("syscall(285, ");
    expect(rangePerl("arm64")?.args.join(" ")).toContain("syscall(47, ");
    for (const other of ["arm", "ia32", "ppc64", "s390x", "", "constructor"]) {
      expect(rangePerl(other)).toBeNull();
    }
  });
});

describe("the answers of perl", () => {
  it.each([
    ["0", ""],
    ["95 Operation not supported", "unsupported"],
    ["25 Inappropriate ioctl for device", "unsupported"],
    ["38 Function not implemented", "unsupported"],
    ["28 No space left on device", "ENOSPC"],
    ["122 Disk quota exceeded", "ENOSPC"],
    ["1 Operation not permitted", "EPERM"],
    ["13 Permission denied", "EPERM"],
    ["30 Read-only file system", "EROFS"],
    ["22 Invalid argument", "EINVAL"],
    ["19 No such device", "ENODEV"],
    ["6 No such device or address", "ENODEV"],
    ["16 Device or resource busy", "EBUSY"],
    ["26 Text file busy", "EBUSY"],
    ["5 Input/output error", "EIO"],
    ["9 Bad file descriptor", "EIO"],
    ["nonsense", "EIO"],
    ["", "EIO"],
  ])("of %j make %j", (answer, outcome) => {
    expect(known.outcomeOf(answer)).toBe(outcome);
  });
});

const perl = hasProgram("perl") ? rangePerl(process.arch) : null;

describe.skipIf(perl === null)("perl itself", () => {
  /** What it answers to this input, in lines; the file is open in this way. */
  function answersTo(input: string, flags = "r+", args = perl!.args): string[] {
    const fd = openSync(path, flags);
    const { stdout, stderr } = spawnSync(perl!.command, args, {
      input,
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe", fd],
      timeout: 10_000,
      encoding: "utf8",
    });
    closeSync(fd);
    expect(stderr).toBe("");
    return stdout.split("\n").slice(0, -1);
  }

  it("greets, answers each line in order, and ends with its input", () => {
    const answers = answersTo("punch 4096 8192\nzero 65536 100\npunch 1048575 1\n");
    expect(answers.slice(0, 2)).toEqual(["ready", "0"]);
    // Not every file system can zero a range.
    expect(["0", "95 Operation not supported"]).toContain(answers[2]);
    expect(answers.slice(3)).toEqual(["0"]);
    const expected = Buffer.alloc(SIZE, 0xaa)
      .fill(0, 4096, 12_288)
      .fill(0, SIZE - 1);
    if (answers[2] === "0") expected.fill(0, 65_536, 65_636);
    expect(readFileSync(path).equals(expected)).toBe(true);
  });

  it("reaches past four gigabytes, and keeps the size", () => {
    const far = 2 ** 43;
    expect(answersTo(`punch ${far} ${2 ** 33}\n`)).toEqual(["ready", "0"]);
    expect(statSync(path).size).toBe(SIZE);
    expect(readFileSync(path).equals(Buffer.alloc(SIZE, 0xaa))).toBe(true);
  });

  it("refuses what is no range, and goes on", () => {
    const nonsense = ["", "punch", "punch 1", "punch -1 5", "wipe 0 5", "punch 0 5 5", "punch a b"];
    const answers = answersTo(`${nonsense.join("\n")}\npunch 0 0\npunch 0 1\npunch 0 5`);
    const refused = nonsense.map(() => "22 not a range");
    expect(answers).toEqual(["ready", ...refused, "22 Invalid argument", "0"]);
    expect(readFileSync(path).indexOf(0xaa)).toBe(1);
  });

  it("tells what the system has against it", () => {
    const answers = answersTo("discard 0 4096\nzero-device 0 4096\n");
    expect(answers.map((answer) => perl!.outcomeOf(answer)).slice(1)).toEqual([
      "unsupported",
      "unsupported",
    ]);
    expect(answersTo("punch 0 4096\n", "r")).toEqual(["ready", "9 Bad file descriptor"]);
    expect(readFileSync(path).equals(Buffer.alloc(SIZE, 0xaa))).toBe(true);
  });

  it("ends without a greeting where the call is refused, or is another one", () => {
    const args = perl!.args.map((arg) => arg.replaceAll(/syscall\(\d+/g, "syscall(9999"));
    expect(answersTo("punch 0 4096\n", "r+", args)).toEqual([]);
    expect(readFileSync(path).equals(Buffer.alloc(SIZE, 0xaa))).toBe(true);
  });

  it("puts lines together that come in pieces, and outlives what is sent to the daemon's group", async () => {
    const fd = openSync(path, "r+");
    const lines: string[] = [];
    const closed = new Promise<void>((resolve) => {
      const events = { onLine: (line: string) => void lines.push(line), onClose: resolve };
      const child = startLineChild(perl!.command, perl!.args, events, { inheritedFd: fd });
      child.hold(true);
      void (async () => {
        await vi.waitUntil(() => lines.length === 1, { timeout: 10_000 });
        for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
          process.kill(child.pid!, signal);
        }
        child.send("punch 0 4096\npunch 8192 4096\nzero 0 1x");
        await vi.waitUntil(() => lines.length === 4, { timeout: 10_000 });
        child.end();
      })();
    });
    await closed;
    closeSync(fd);
    expect(lines).toEqual(["ready", "0", "0", "22 not a range"]);
  });

  it("keeps the lock of a daemon that was killed until it has cleared what it was told of", async () => {
    const top = join(import.meta.dirname, "..", "..");
    // Halted before it is told of the range, perl stands for one whose system call takes long.
    const script = `
      import { openSync } from "node:fs";
      import { lockFile } from "${join(top, "native-free", "file-lock.ts")}";
      import { RangeCleaner } from "${join(top, "native-free", "hole-punch.ts")}";
      const fd = openSync("${path}", "r+");
      await lockFile(fd, "${path}", { methods: ["flock"] });
      const cleaner = new RangeCleaner(fd);
      cleaner.clear("punch", 0, 4096, () => {
        process.kill(cleaner.childPid, "SIGSTOP");
        cleaner.clear("punch", 8192, 4096, () => undefined);
        setTimeout(() => console.log(cleaner.childPid), 100);
        setInterval(() => undefined, 1000);
      });`;
    const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
    const args = ["--import", tsx, "--input-type=module", "--eval", script];
    const daemon = spawnMortal(process.execPath, args);
    const [told] = (await once(daemon.stdout!, "data")) as [Buffer];
    const perlPid = Number(told.toString());
    const fd = openSync(path, "r+");
    try {
      const ended = once(daemon, "exit");
      daemon.kill("SIGKILL");
      await ended;
      const take = () => lockFile(fd, path, { methods: ["flock"] });
      await expect(take()).rejects.toThrow(FileLockedError);
      expect(readFileSync(path)[8192]).toBe(0xaa);
      process.kill(perlPid, "SIGCONT");
      await vi.waitFor(take, { timeout: 10_000 });
      expect(readFileSync(path)[8192]).toBe(0);
    } finally {
      // Where the test has failed it may still be halted.
      if (existsSync(`/proc/${perlPid}`)) process.kill(perlPid, "SIGKILL");
      closeSync(fd);
    }
  });
});
