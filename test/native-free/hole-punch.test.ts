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
import {
  RANGES_WAITING_MAX,
  RangeCleaner,
  RangeOperation,
  type RangeOutcome,
} from "../../native-free/hole-punch.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
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

describe("clearing ranges of a file", () => {
  let fd = -1;
  let cleaner: RangeCleaner;
  beforeEach(() => {
    writeFileSync(path, Buffer.alloc(SIZE, 0xaa));
    fd = openSync(path, "r+");
    cleaner = new RangeCleaner(fd);
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

  it("keeps one shell for all of them", async () => {
    await clear(cleaner, RangeOperation.punchHole, 0, 4096);
    const pid = cleaner.shellPid;
    await clear(cleaner, RangeOperation.punchHole, 65_536, 4096);
    expect(cleaner.shellPid).toBe(pid);
  });

  it("tells of a death in the middle, and starts anew", async () => {
    await clear(cleaner, RangeOperation.punchHole, 0, 4096);
    const outcome = clear(cleaner, RangeOperation.punchHole, 4096, 4096);
    process.kill(cleaner.shellPid!, "SIGKILL");
    expect(["died", ""]).toContain(await outcome);
    expect(await clear(cleaner, RangeOperation.punchHole, 4096, 4096)).toBe("");
    expect(await clear(cleaner, RangeOperation.punchHole, 8192, 4096)).toBe("");
    expectZeros([0, 12_288]);
  });

  it("finishes what waits when it is closed, and ends the shell", async () => {
    const outcome = clear(cleaner, RangeOperation.punchHole, 0, 4096);
    await cleaner.close();
    expect(await outcome).toBe("");
    expect(cleaner.shellPid).toBeUndefined();
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
    const shellPid = cleaner.shellPid!;
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

const missing = loopDevicesMissing();
describe.skipIf(missing !== null)(`clearing ranges of a loop device${orWhyNot(missing)}`, () => {
  it("discards and zeroes while the device is in exclusive use", async () => {
    const loop = await LoopDevice.attach(SIZE);
    // O_EXCL is 0o200 on Linux: exclusive use of a block device.
    const fd = openSync(loop.path, 0o2 | 0o200);
    const cleaner = new RangeCleaner(fd);
    try {
      writeSync(fd, Buffer.alloc(SIZE, 0xaa), 0, SIZE, 0);
      expect(await clear(cleaner, RangeOperation.zeroDevice, 4096, 8192)).toBe("EBUSY");
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
  });
});
