import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RangeCleaner } from "../../native-free/hole-punch.ts";
import {
  closeOpened,
  findTraits,
  measureCapacity,
  openFileOrDevice,
  type FileOpenOptions,
} from "../../src/device/file-open.ts";
import { scratchFolder } from "./loop-device.ts";

const folder = scratchFolder();
const path = join(folder, "image");
writeFileSync(path, Buffer.alloc(10_000, 1));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("opening a file", () => {
  it("finds out about it, and has a second descriptor for stable writes", async () => {
    const opened = await openFileOrDevice(path, {});
    expect(opened).toMatchObject({ path, isBlockDevice: false, rdev: 0, capacityBytes: 10_000 });
    expect(opened.syncFd).toBeGreaterThanOrEqual(0);
    expect(opened.lock).not.toBeNull();
    expect(await measureCapacity(opened.fd, 0)).toBe(10_000);
    const cleaner = new RangeCleaner(opened.fd);
    const traits = await findTraits(opened, cleaner);
    await cleaner.close();
    expect(traits).toMatchObject({ logicalBlockBytes: 1, readOnly: false });
    expect(traits.discardZeroes).toBe(traits.discardGranularityBytes > 0);
    await closeOpened(opened);
  });

  it("follows a link to it", async () => {
    const link = join(folder, "link");
    symlinkSync(path, link);
    const opened = await openFileOrDevice(link, {});
    expect(opened.capacityBytes).toBe(10_000);
    await closeOpened(opened);
  });

  it("opens it for reading alone when that is asked for", async () => {
    const opened = await openFileOrDevice(path, { readOnly: true });
    expect([opened.readOnly, opened.syncFd]).toEqual([true, -1]);
    await closeOpened(opened);
  });

  it("asks on what file system it lies, and whether that tells of lost writes late", async () => {
    const asked: string[] = [];
    const opened = await openFileOrDevice(path, {
      fileSystemType: (name) => {
        asked.push(name);
        return Promise.resolve(0x6969);
      },
    });
    expect([asked, opened.reportsLate, opened.inMemory]).toEqual([[path], true, false]);
    await closeOpened(opened);
  });

  it("takes no lock when that is asked for", async () => {
    const first = await openFileOrDevice(path, {});
    const second = await openFileOrDevice(path, { lock: false });
    expect(second.lock).toBeNull();
    await closeOpened(second);
    await closeOpened(first);
  });

  it.each<[string, FileOpenOptions, string]>([
    ["none", {}, "gone"],
    ["folder", {}, "unsupported"],
    ["image", { direct: true }, "unsupported"],
  ])("refuses %s with %j as %s, and leaves no descriptor open", async (name, options, kind) => {
    mkdirSync(join(folder, "folder"), { recursive: true });
    const before = readdirSync("/proc/self/fd").length;
    const opening = openFileOrDevice(join(folder, name), options);
    await expect(opening).rejects.toMatchObject({ kind });
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  });

  it("leaves no descriptor open when somebody else has the lock", async () => {
    const first = await openFileOrDevice(path, {});
    const before = readdirSync("/proc/self/fd").length;
    await expect(openFileOrDevice(path, {})).rejects.toThrow("in use");
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
    await closeOpened(first);
  });

  it("keeps neither descriptor nor lock of a file that vanishes while it is opened", async () => {
    const victim = join(folder, "victim");
    const tools = join(folder, "tools");
    writeFileSync(victim, "");
    mkdirSync(tools);
    // The lock is taken between opening and looking: that is when the file is removed.
    writeFileSync(join(tools, "flock"), `#!/bin/sh\n/bin/rm ${victim}\n`, { mode: 0o755 });
    const before = readdirSync("/proc/self/fd").length;
    const lockOptions = { methods: ["flock"], path: tools } as const;
    const opening = openFileOrDevice(victim, { lockOptions });
    await expect(opening).rejects.toMatchObject({ kind: "gone" });
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  });
});
