import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../../native-free/make-folder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-folder-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a folder", () => {
  it("is made with those above, and the first of them is told", async () => {
    expect(await makeFolder(join(folder, "a/b/c"), 0o700)).toBe(join(folder, "a"));
    expect(statSync(join(folder, "a/b/c")).mode & 0o777).toBe(0o700);
  });

  it("is left as it is where it is there", async () => {
    mkdirSync(join(folder, "a"), { mode: 0o755 });
    expect(await makeFolder(join(folder, "a"), 0o700)).toBeUndefined();
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o755);
  });

  it("is made by several at a time", async () => {
    const path = join(folder, "a/b/c");
    await Promise.all([makeFolder(path, 0o700), makeFolder(path, 0o700), makeFolder(path, 0o700)]);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it.each(["file", "file/below"])("is not made of or below a file: %s", async (name) => {
    writeFileSync(join(folder, "file"), "");
    const made = makeFolder(join(folder, name), 0o700);
    await expect(made).rejects.toMatchObject({ code: name === "file" ? "EEXIST" : "ENOTDIR" });
  });

  // A daemon whose state folder was to lie there never started, and kept a CPU busy.
  it("is refused where the file system makes none, and not tried for ever", async () => {
    await expect(makeFolder("/proc/thinlun/state", 0o700)).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
