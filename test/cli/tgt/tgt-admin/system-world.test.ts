import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lookAt, SYSTEM_FILES } from "../../../../src/cli/tgt/tgt-admin/system-world.ts";
import { spawnMortal } from "../../../support/mortal-child.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-admin-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("lookAt", () => {
  it("misses what is not there, and takes no folder for a store", async () => {
    expect(await lookAt(join(folder, "none"))).toBe("missing");
    expect(await lookAt(folder)).toBe("missing");
  });

  it("sees whether another process has a file open", async () => {
    const path = file("disk", "x");
    expect(await lookAt(path)).toBe("free");
    const child = spawnMortal("sh", ["-c", `exec 4<"$0"; echo; exec sleep 60`, path], process.env);
    await once(child.stdout ?? child, "data");
    expect(await lookAt(path)).toBe("open");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await lookAt(path)).toBe("free");
  });
});

describe("SYSTEM_FILES", () => {
  it("reads the beginning of a file", () => {
    const path = file("text", "0123456789");
    expect(Buffer.from(SYSTEM_FILES.read(path, 4)).toString()).toBe("0123");
    expect(Buffer.from(SYSTEM_FILES.read(path, 100)).toString()).toBe("0123456789");
    expect(() => SYSTEM_FILES.read(join(folder, "none"), 4)).toThrow("ENOENT");
  });

  it("tells what a path leads to", () => {
    expect(SYSTEM_FILES.kindOf(folder)).toBe("folder");
    expect(SYSTEM_FILES.kindOf(file("some", ""))).toBe("file");
    expect(SYSTEM_FILES.kindOf("/dev/null")).toBe("other");
    expect(SYSTEM_FILES.kindOf(join(folder, "none"))).toBe("none");
    expect(SYSTEM_FILES.namesIn(folder)).toContain("some");
  });
});
