import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  fdatasyncSync,
  readSync,
  writeSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FileLockedError, lockFile } from "../../native-free/file-lock.ts";
import { rangePerl } from "../../native-free/range-perl.ts";
import type { RangeProgram } from "../../native-free/range-program.ts";
import { RANGE_SHELL } from "../../native-free/range-shell.ts";
import {
  RANGES_WAITING_MAX,
  RangeCleaner,
  RangeOperation,
  type RangeOutcome,
} from "../../native-free/hole-punch.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { spawnMortal } from "../support/mortal-child.ts";

const folder = scratchFolder();
const path = join(folder, "image");
const SIZE = 1024 * 1024;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function clear(
  cleaner: RangeCleaner,
  operation: RangeOperation,
  offset: number,
  length: number,
): Promise<RangeOutcome> {
  return new Promise((resolve) => cleaner.clear(operation, offset, length, resolve));
}

const perl = hasProgram("perl") ? rangePerl(process.arch) : null;
const programs: readonly RangeProgram[] = [...(perl === null ? [] : [perl]), RANGE_SHELL];

describe.each(programs)("clearing ranges of a file by $name", (program) => {
  let fd = -1;
  let cleaner: RangeCleaner;
  beforeEach(() => {
    writeFileSync(path, Buffer.alloc(SIZE, 0xaa));
    fd = openSync(path, "r+");
    cleaner = new RangeCleaner(fd, undefined, [program]);
  });
  afterEach(async () => {
    await cleaner.close();
    closeSync(fd);
  });

  /** The file as it must be: all 0xaa but for these ranges. */
  function expectZeros(...ranges: readonly (readonly [number, number])[]): void {
    const expected = Buffer.alloc(SIZE, 0xaa);
    for (const [offset, length] of ranges) expected.fill(0, offset, offset + length);
    expect(readFileSync(path).equals(expected)).toBe(true);
  }

  it("punches exactly the range, and gives space back", async () => {
    const before = fstatSync(fd).blocks;
    expect(await clear(cleaner, RangeOperation.punchHole, 10_000, 500_001)).toBe("");
    expectZeros([10_000, 500_001]);
    expect(fstatSync(fd).blocks).toBeLessThan(before);
    expect(fstatSync(fd).size).toBe(SIZE);
  });

  it("merges what touches, and answers everybody", async () => {
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      clear(cleaner, RangeOperation.punchHole, 4096 * index, 4096),
    );
    expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => ""));
    expectZeros([0, 409_600]);
  });

  it("keeps ranges apart that do not touch", async () => {
    const outcomes = [0, 3, 1, 7].map((index) =>
      clear(cleaner, RangeOperation.punchHole, 8192 * index, 4096),
    );
    await Promise.all(outcomes);
    expectZeros([0, 4096], [3 * 8192, 4096], [8192, 4096], [7 * 8192, 4096]);
  });

  it("keeps one program for all of them", async () => {
    await clear(cleaner, RangeOperation.punchHole, 0, 4096);
    const pid = cleaner.childPid;
    await clear(cleaner, RangeOperation.punchHole, 65_536, 4096);
    expect(cleaner.childPid).toBe(pid);
  });

  it("tells of a death in the middle, and starts anew", async () => {
    await clear(cleaner, RangeOperation.punchHole, 0, 4096);
    const outcome = clear(cleaner, RangeOperation.punchHole, 4096, 4096);
    process.kill(cleaner.childPid!, "SIGKILL");
    expect(["died", ""]).toContain(await outcome);
    expect(await clear(cleaner, RangeOperation.punchHole, 4096, 4096)).toBe("");
    expect(await clear(cleaner, RangeOperation.punchHole, 8192, 4096)).toBe("");
    expectZeros([0, 12_288]);
  });

  it("finishes what waits when it is closed, and ends the program", async () => {
    const outcome = clear(cleaner, RangeOperation.punchHole, 0, 4096);
    await cleaner.close();
    expect(await outcome).toBe("");
    expect(cleaner.childPid).toBeUndefined();
    expect(() => cleaner.clear(RangeOperation.punchHole, 0, 1, () => undefined)).toThrow(
      RangeError,
    );
  });

  it("takes no more than may wait", async () => {
    const outcomes: Promise<RangeOutcome>[] = [];
    while (cleaner.hasRoom) {
      outcomes.push(clear(cleaner, RangeOperation.punchHole, 8192 * outcomes.length, 1));
    }
    expect(outcomes).toHaveLength(RANGES_WAITING_MAX);
    expect(() => cleaner.clear(RangeOperation.punchHole, 1, 1, () => undefined)).toThrow(
      RangeError,
    );
    await Promise.all(outcomes);
  }, 120_000);

  it.each([
    [-1, 1],
    [0, 0],
    [0.5, 1],
    [0, NaN],
  ])("refuses the range of %d and %d", (offset, length) => {
    const call = (): void =>
      cleaner.clear(RangeOperation.punchHole, offset, length, () => undefined);
    expect(call).toThrow(RangeError);
  });

  it("says that blkdiscard is not for files", async () => {
    expect(await clear(cleaner, RangeOperation.discardDevice, 0, 4096)).not.toBe("");
    expectZeros();
  });
});

describe("a tool that is still at work", () => {
  const tools = join(folder, "tools");
  const [started, mayEnd] = [join(tools, "started"), join(tools, "may-end")];

  beforeEach(() => {
    writeFileSync(path, Buffer.alloc(4096, 1));
    mkdirSync(tools);
    // Bounded, so that a test that fails leaves nobody behind.
    const script = `#!/bin/sh
      : > ${started}; i=0
      while [ ! -e ${mayEnd} ] && [ $i -lt 300 ]; do /bin/sleep 0.05; i=$((i+1)); done`;
    writeFileSync(join(tools, "fallocate"), script, { mode: 0o755 });
  });
  afterEach(() => rmSync(tools, { recursive: true }));

  it("is waited for when its shell is killed, so that it clears nothing after the answer", async () => {
    const fd = openSync(path, "r+");
    const cleaner = new RangeCleaner(fd, tools);
    let answered = false;
    const outcome = clear(cleaner, RangeOperation.punchHole, 0, 4096).finally(() => {
      answered = true;
    });
    await vi.waitUntil(() => existsSync(started), { timeout: 10_000 });
    const shellPid = cleaner.childPid!;
    process.kill(shellPid, "SIGKILL");
    await vi.waitUntil(() => !existsSync(`/proc/${shellPid}`), { timeout: 10_000 });
    expect(answered).toBe(false);
    writeFileSync(mayEnd, "");
    expect(await outcome).toBe("died");
    await cleaner.close();
    closeSync(fd);
  });

  it("is the last where the cleaner is stopped: nothing that waits is cleared behind it", async () => {
    const fd = openSync(path, "r+");
    const cleaner = new RangeCleaner(fd, tools);
    const running = clear(cleaner, RangeOperation.punchHole, 0, 512);
    await vi.waitUntil(() => existsSync(started), { timeout: 10_000 });
    const waiting = clear(cleaner, RangeOperation.punchHole, 1024, 512);
    cleaner.stop();
    expect(await waiting).toBe("stopped");
    expect(await clear(cleaner, RangeOperation.punchHole, 2048, 512)).toBe("stopped");
    rmSync(started);
    writeFileSync(mayEnd, "");
    expect(await running).toBe("");
    await cleaner.close();
    expect(existsSync(started)).toBe(false);
    closeSync(fd);
  });

  it("keeps the lock of a daemon that was killed, so that its successor writes nothing too early", async () => {
    const top = join(import.meta.dirname, "..", "..");
    const script = `
      import { openSync } from "node:fs";
      import { lockFile } from "${join(top, "native-free", "file-lock.ts")}";
      import { RangeCleaner } from "${join(top, "native-free", "hole-punch.ts")}";
      const fd = openSync("${path}", "r+");
      await lockFile(fd, "${path}", { methods: ["flock"] });
      new RangeCleaner(fd, "${tools}").clear("punch", 0, 4096, () => undefined);`;
    const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
    const args = ["--import", tsx, "--input-type=module", "--eval", script];
    const daemon = spawnMortal(process.execPath, args);
    await vi.waitUntil(() => existsSync(started), { timeout: 10_000 });
    const ended = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await ended;
    const fd = openSync(path, "r+");
    const take = () => lockFile(fd, path, { methods: ["flock"] });
    await expect(take()).rejects.toThrow(FileLockedError);
    writeFileSync(mayEnd, "");
    await vi.waitFor(take, { timeout: 10_000 });
    closeSync(fd);
  });
});

describe("without the tools", () => {
  it("is unsupported", async () => {
    writeFileSync(path, Buffer.alloc(4096, 1));
    const fd = openSync(path, "r+");
    const cleaner = new RangeCleaner(fd, folder);
    for (const operation of Object.values(RangeOperation)) {
      expect(await clear(cleaner, operation, 0, 4096)).toBe("unsupported");
    }
    await cleaner.close();
    closeSync(fd);
  });
});

it("reports that a file cannot be written", async () => {
  writeFileSync(path, Buffer.alloc(4096, 1));
  const fd = openSync("/proc/self/status", "r");
  const cleaner = new RangeCleaner(fd);
  expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).not.toBe("");
  await cleaner.close();
  closeSync(fd);
});

describe("the choice of the program", () => {
  let fd = -1;
  beforeEach(() => {
    writeFileSync(path, Buffer.alloc(SIZE, 0xaa));
    fd = openSync(path, "r+");
  });
  afterEach(() => closeSync(fd));

  /** A shell that is used as perl is: it is told of three ranges at a time, and only once it has greeted. */
  function scripted(script: string): RangeProgram {
    return {
      ...RANGE_SHELL,
      name: "script",
      args: ["-c", script],
      greeting: "ready",
      sentRangesMax: 3,
    };
  }

  function clearThree(cleaner: RangeCleaner, lengthBytes: number): Promise<RangeOutcome[]> {
    const ranges = [0, 2, 4].map((index) =>
      clear(cleaner, RangeOperation.punchHole, index * lengthBytes, lengthBytes),
    );
    return Promise.all(ranges);
  }

  it.skipIf(perl === null)("is perl where there is one", async () => {
    const cleaner = new RangeCleaner(fd);
    expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).toBe("");
    expect(cleaner.programName).toBe("perl");
    await cleaner.close();
  });

  it.each([
    ["is not there", { ...scripted(""), command: "thinlun-no-such-program" }],
    ["ends before it greets", scripted("exit 1")],
    ["says something else", scripted("echo usage")],
  ])("falls to the next when one %s, and no range is lost by that", async (_, program) => {
    const cleaner = new RangeCleaner(fd, undefined, [program, RANGE_SHELL]);
    expect(await clearThree(cleaner, 4096)).toEqual(["", "", ""]);
    expect(cleaner.programName).toBe("shell");
    await cleaner.close();
    expect(readFileSync(path).subarray(0, 4096).equals(Buffer.alloc(4096))).toBe(true);
  });

  it("falls to the next when one dies of its first range", async () => {
    const program = scripted("echo ready; read -r line");
    const cleaner = new RangeCleaner(fd, undefined, [program, RANGE_SHELL]);
    expect(await clearThree(cleaner, 4096)).toEqual(["died", "died", "died"]);
    expect(await clearThree(cleaner, 4096)).toEqual(["", "", ""]);
    await cleaner.close();
  });

  it("starts one anew that dies after it has worked, and tells of what it did not answer", async () => {
    const program = scripted("echo ready; read -r line; echo 0; read -r line");
    const cleaner = new RangeCleaner(fd, undefined, [program, RANGE_SHELL]);
    expect(await clearThree(cleaner, 4096)).toEqual(["", "died", "died"]);
    expect(await clearThree(cleaner, 4096)).toEqual(["", "died", "died"]);
    expect(cleaner.programName).toBe("script");
    await cleaner.close();
  });

  it("owes nothing for a large range that died with its program: small ones go together again", async () => {
    const mark = join(folder, "died");
    const program = scripted(
      `echo ready; if [ -e ${mark} ]; then read -r a; read -r b; read -r c; echo 0; echo 0; echo 0; read -r end
       else read -r a; echo 0; read -r b; : > ${mark}; fi`,
    );
    const cleaner = new RangeCleaner(fd, undefined, [program]);
    expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).toBe("");
    expect(await clear(cleaner, RangeOperation.punchHole, 0, 2 ** 30)).toBe("died");
    expect(await clearThree(cleaner, 4096)).toEqual(["", "", ""]);
    await cleaner.close();
    rmSync(mark);
  });

  it("gives up on the last one after three deaths in a row", async () => {
    const program = scripted("echo ready; read -r line");
    const cleaner = new RangeCleaner(fd, undefined, [program]);
    for (let death = 0; death < 3; death += 1) {
      expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).toBe("died");
    }
    expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).toBe("unsupported");
    await cleaner.close();
  });

  it("gives up on the last one when it never greets", async () => {
    const cleaner = new RangeCleaner(fd, undefined, [scripted("exit 1")]);
    expect(await clear(cleaner, RangeOperation.punchHole, 0, 4096)).toBe("unsupported");
    await cleaner.close();
  });

  it("tells one of small ranges before it has answered, and hears the answers in order", async () => {
    const program = scripted(
      "echo ready; read -r a; read -r b; read -r c; echo 0; echo 1 not supported; echo 1 no space left; read -r end",
    );
    const cleaner = new RangeCleaner(fd, undefined, [program]);
    expect(await clearThree(cleaner, 4096)).toEqual(["", "unsupported", "ENOSPC"]);
    await cleaner.close();
  });

  it.each([
    [64 * 1024 * 1024, ["", "stopped", "stopped"]],
    [4096, ["", "", ""]],
  ])("with %d bytes a range, leaves undisturbed by a stop %j", async (lengthBytes, outcomes) => {
    const mark = join(folder, "stopped");
    const program = scripted(
      `echo ready; while read -r line; do while [ ! -e ${mark} ]; do sleep 0.01; done; echo 0; done`,
    );
    const cleaner = new RangeCleaner(fd, undefined, [program]);
    const first = clear(cleaner, RangeOperation.punchHole, 1024 * lengthBytes, 1);
    writeFileSync(mark, "");
    expect(await first).toBe("");
    rmSync(mark);
    const ended = clearThree(cleaner, lengthBytes);
    await new Promise(setImmediate);
    cleaner.stop();
    writeFileSync(mark, "");
    expect(await ended).toEqual(outcomes);
    await cleaner.close();
    rmSync(mark);
  });
});

const missing = loopDevicesMissing();
describe.skipIf(missing !== null)(`clearing ranges of a loop device${orWhyNot(missing)}`, () => {
  it.each(programs)(
    "discards and zeroes by $name while it is in exclusive use",
    async (program) => {
      const loop = await LoopDevice.attach(SIZE);
      // O_EXCL is 0o200 on Linux: exclusive use of a block device.
      const fd = openSync(loop.path, 0o2 | 0o200);
      const cleaner = new RangeCleaner(fd, undefined, [program]);
      try {
        writeSync(fd, Buffer.alloc(SIZE, 0xaa), 0, SIZE, 0);
        // The tools open the device anew, and only who has it exclusively may drop its dirty pages.
        const whileDirty = program === RANGE_SHELL ? "EBUSY" : "";
        expect(await clear(cleaner, RangeOperation.zeroDevice, 4096, 8192)).toBe(whileDirty);
        fdatasyncSync(fd);
        expect(await clear(cleaner, RangeOperation.zeroDevice, 4096, 8192)).toBe("");
        expect(await clear(cleaner, RangeOperation.discardDevice, 65_536, 65_536)).toBe("");
        expect(await clear(cleaner, RangeOperation.zeroDevice, 100, 100)).toBe("EINVAL");
        const content = Buffer.alloc(SIZE);
        readSync(fd, content, 0, SIZE, 0);
        const expected = Buffer.alloc(SIZE, 0xaa).fill(0, 4096, 12_288).fill(0, 65_536, 131_072);
        expect(content.equals(expected)).toBe(true);
      } finally {
        await cleaner.close();
        closeSync(fd);
        await loop.detach();
      }
    },
  );

  it.each(programs)(
    "leaves by $name what lies beside it, also where none of it is on the disk yet",
    async (program) => {
      const loop = await LoopDevice.attach(SIZE);
      const fd = openSync(loop.path, 0o2 | 0o200);
      const cleaner = new RangeCleaner(fd, undefined, [program]);
      try {
        const expected = Buffer.alloc(SIZE);
        for (let round = 1; round <= 20; round += 1) {
          expected.fill(round, 0, SIZE);
          writeSync(fd, expected, 0, SIZE, 0);
          if (program === RANGE_SHELL) fdatasyncSync(fd);
          const offset = 512 * round;
          expect(await clear(cleaner, RangeOperation.zeroDevice, offset, 10_240)).toBe("");
          expected.fill(0, offset, offset + 10_240);
          fdatasyncSync(fd);
          expect(readFileSync(loop.path).equals(expected)).toBe(true);
        }
      } finally {
        await cleaner.close();
        closeSync(fd);
        await loop.detach();
      }
    },
  );
});
