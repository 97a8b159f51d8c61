import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readBootId, readMachineId } from "../../native-free/machine-identity.ts";
import { scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const ID = "0123456789abcdef0123456789abcdef";

describe("the identity of a machine", () => {
  it("is the first that is one", () => {
    const good = file("good", `${ID.toUpperCase()}\n`);
    const others = [
      join(folder, "none"),
      file("empty", ""),
      file("fresh", "uninitialized\n"),
      file("zeros", "0".repeat(32)),
    ];
    expect(readMachineId([...others, good])).toBe(ID);
    expect(readMachineId(others)).toBeNull();
  });
});

describe("the identity of a boot", () => {
  it("is a UUID, the same each time", () => {
    expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(readBootId()).toBe(readBootId());
  });

  it("is nothing where the kernel does not tell", () => {
    expect(readBootId(join(folder, "none"))).toBeNull();
    expect(readBootId(file("wrong", "yes\n"))).toBeNull();
  });
});
