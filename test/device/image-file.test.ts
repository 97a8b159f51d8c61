import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createImageFile, growImageFile } from "../../src/device/image-file.ts";
import { scratchFolder } from "./loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("createImageFile", () => {
  it("makes a sparse file of that size for its owner", async () => {
    const path = join(folder, "image");
    await createImageFile(path, 1024 ** 4);
    const { size, blocks, mode } = statSync(path);
    expect([size, mode & 0o777]).toEqual([1024 ** 4, 0o600]);
    expect(blocks).toBeLessThan(1000);
  });

  it("never overwrites, nor follows a link", async () => {
    const path = join(folder, "taken");
    writeFileSync(path, "precious");
    await expect(createImageFile(path, 10)).rejects.toThrow("EEXIST");
    const link = join(folder, "link");
    symlinkSync(join(folder, "elsewhere"), link);
    await expect(createImageFile(link, 10)).rejects.toThrow("EEXIST");
    expect(readFileSync(path, "utf8")).toBe("precious");
  });

  it("leaves nothing behind when it fails", async () => {
    const before = readdirSync(folder);
    await expect(createImageFile(join(folder, "huge"), 2 ** 53 - 1)).rejects.toThrow("EFBIG");
    await expect(createImageFile(join(folder, "none", "x"), 1)).rejects.toThrow("ENOENT");
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("growing an image", () => {
  it("adds a hole at its end", async () => {
    const path = join(folder, "grown.img");
    await createImageFile(path, 4096);
    await growImageFile(path, 4096, 1024 * 1024);
    expect(statSync(path).size).toBe(1024 * 1024);
  });

  it("leaves another file alone that has taken the name", async () => {
    const path = join(folder, "other.img");
    writeFileSync(path, "precious");
    await expect(growImageFile(path, 4096, 8192)).rejects.toThrow(/it has 8 bytes, not 4096/);
    expect(statSync(path).size).toBe("precious".length);
    await expect(growImageFile(join(folder, "none"), 1, 2)).rejects.toThrow(/ENOENT/);
  });
});
