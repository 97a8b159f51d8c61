import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { programVersion } from "../../src/util/program-version.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-version-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("the version of the program", () => {
  it("is that of its package", () => {
    const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
    const { version } = JSON.parse(text) as { version: string };
    expect(programVersion()).toBe(version);
  });

  it("is looked for above, past packages of others and files that are none", () => {
    const inner = join(folder, "a", "b");
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, "package.json"), "{");
    writeFileSync(join(folder, "a", "package.json"), '{"name":"other","version":"9"}');
    expect(programVersion(inner)).toBe("unknown");
    writeFileSync(join(folder, "package.json"), '{"name":"thinlun","version":"1.2.3"}');
    expect(programVersion(inner)).toBe("1.2.3");
  });
});
