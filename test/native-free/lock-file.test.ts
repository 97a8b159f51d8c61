import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { processStartTicks, takeLockFile } from "../../native-free/lock-file.ts";
import { scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
const path = join(folder, "disk.lock");
const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "ascii").trim();
beforeEach(() => rmSync(path, { force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a lock file", () => {
  it("is taken once, and names its owner to whoever comes next", async () => {
    expect(await takeLockFile(path)).toBeNull();
    expect(await takeLockFile(path)).toMatchObject({ pid: process.pid, bootId });
    expect(readdirSync(folder)).toEqual(["disk.lock"]);
  });

  it.each([
    ["a process that is no more", `4194303 1 ${bootId}\n`],
    ["a process whose number was given to another", `${process.pid} 1 ${bootId}\n`],
    ["another boot", `${process.pid} 1 11111111-2222-3333-4444-555555555555\n`],
  ])("is replaced when it is of %s", async (_, content) => {
    writeFileSync(path, content);
    expect(await takeLockFile(path)).toBeNull();
    expect(readFileSync(path, "ascii")).toMatch(new RegExp(`^${process.pid} [0-9]+ ${bootId}\n$`));
    expect(readdirSync(folder)).toEqual(["disk.lock"]);
  });

  it.each(["", "who knows", "1 2"])("is respected when it says %j", async (content) => {
    writeFileSync(path, content);
    expect(await takeLockFile(path)).not.toBeNull();
    expect(readFileSync(path, "ascii")).toBe(content);
  });

  it("is won by one of many that find a stale one", async () => {
    writeFileSync(path, `4194303 1 ${bootId}\n`);
    const results = await Promise.all(Array.from({ length: 8 }, () => takeLockFile(path)));
    expect(results.filter((owner) => owner === null)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(["disk.lock"]);
  });

  it("is replaced although somebody died while replacing it", async () => {
    writeFileSync(path, `4194303 1 ${bootId}\n`);
    writeFileSync(`${path}.takeover`, `4194302 1 ${bootId}\n`);
    expect(await takeLockFile(path)).toBeNull();
    expect(readdirSync(folder)).toEqual(["disk.lock"]);
  });
});

describe("the start time of a process", () => {
  it("is there for this one and not for one that is no more", async () => {
    expect(await processStartTicks(process.pid)).toMatch(/^\d+$/);
    expect(await processStartTicks(4_194_303)).toBeNull();
  });
});
