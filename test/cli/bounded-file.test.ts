import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBoundedText } from "../../src/cli/bounded-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-bounded-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("a text is read as a whole, however long within its bound", () => {
  const path = join(folder, "text");
  const text = "\u00e4\u20ac".repeat(50_000);
  writeFileSync(path, text);
  expect(readBoundedText(path, Buffer.byteLength(text))).toBe(text);
  expect(() => readBoundedText(path, Buffer.byteLength(text) - 1)).toThrow(
    `${path} has more than 249999 bytes`,
  );
});

test("a file of 1 TiB is not read, nor one without an end", () => {
  const path = join(folder, "huge");
  writeFileSync(path, "");
  truncateSync(path, 1024 ** 4);
  expect(() => readBoundedText(path, 1000)).toThrow("more than 1000 bytes");
  expect(() => readBoundedText("/dev/zero", 1_000_000)).toThrow("/dev/zero");
});

test("what cannot be read says so", () => {
  expect(() => readBoundedText(join(folder, "none"), 10)).toThrow("ENOENT");
  expect(() => readBoundedText(folder, 10)).toThrow("EISDIR");
});
