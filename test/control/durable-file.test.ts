import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  replaceFile,
  type ReplacementSteps,
  systemSteps,
  temporaryPath,
} from "../../src/control/durable-file.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-durable-"));
});

afterEach(() => rm(folder, { recursive: true }));

/** The system's steps up to one, in whose place the power fails. */
function failingAt(step: keyof ReplacementSteps, log: string[] = []): ReplacementSteps {
  const run = async (name: keyof ReplacementSteps, action: () => Promise<void>): Promise<void> => {
    log.push(name);
    if (name === step) throw new Error(`power failed at ${name}`);
    await action();
  };
  return {
    write: (path, text) => run("write", () => systemSteps.write(path, text)),
    rename: (from, to) => run("rename", () => systemSteps.rename(from, to)),
    keepPrevious: (path, name) => run("keepPrevious", () => systemSteps.keepPrevious(path, name)),
    syncFolder: (path) => run("syncFolder", () => systemSteps.syncFolder(path)),
  };
}

describe("replaceFile", () => {
  it("makes the file, for its owner only", async () => {
    const path = join(folder, "state");
    await replaceFile(path, "one");
    expect(await readFile(path, "utf8")).toBe("one");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("leaves nothing else behind", async () => {
    const path = join(folder, "state");
    await replaceFile(path, "one");
    await replaceFile(path, "two");
    expect(await readFile(path, "utf8")).toBe("two");
    await expect(stat(temporaryPath(path))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["write", "old"],
    ["rename", "old"],
    ["syncFolder", "new"],
  ] as const)("leaves one whole content when it is cut short at %s", async (step, content) => {
    const path = join(folder, "state");
    await replaceFile(path, "old");
    await expect(replaceFile(path, "new", failingAt(step))).rejects.toThrow("power failed");
    expect(await readFile(path, "utf8")).toBe(content);
    await replaceFile(path, "after the restart");
    expect(await readFile(path, "utf8")).toBe("after the restart");
  });

  it("is not in the way of what an earlier crash left, nor takes over its permissions", async () => {
    const path = join(folder, "state");
    await writeFile(temporaryPath(path), "half of someth", { mode: 0o644 });
    await replaceFile(path, "whole");
    expect(await readFile(path, "utf8")).toBe("whole");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("writes before it renames, and syncs the folder last", async () => {
    const log: string[] = [];
    await expect(
      replaceFile(join(folder, "state"), "x", failingAt("syncFolder", log)),
    ).rejects.toThrow();
    expect(log).toEqual(["write", "rename", "syncFolder"]);
  });
});
