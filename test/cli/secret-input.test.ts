import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSecret, typedKey } from "../../src/cli/secret-input.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-secret-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const NOBODY = { isTerminal: false, ask: () => Promise.reject(new Error("nobody is there")) };
const given = (changes: object) => ({
  password: undefined,
  "password-file": undefined,
  ...changes,
});

/** Somebody who types these, one after the other. */
function typist(...answers: string[]) {
  return { isTerminal: true, ask: () => Promise.resolve(answers.shift() ?? "") };
}

describe("a secret", () => {
  it("comes from a file, without the line feed at its end", async () => {
    const file = join(folder, "secret");
    writeFileSync(file, "wonder land\n\r\n");
    expect(await readSecret("alice", given({ "password-file": file }), NOBODY)).toBe(
      "wonder land\n",
    );
    await expect(
      readSecret("alice", given({ "password-file": join(folder, "none") }), NOBODY),
    ).rejects.toThrow("cannot be read");
    writeFileSync(file, "\n");
    await expect(readSecret("alice", given({ "password-file": file }), NOBODY)).rejects.toThrow(
      "is empty",
    );
  });

  it("is what was insisted on", async () => {
    expect(await readSecret("alice", given({ password: "x" }), NOBODY)).toBe("x");
    const both = given({ password: "x", "password-file": "y" });
    await expect(readSecret("alice", both, NOBODY)).rejects.toThrow("not from both");
  });

  it("is asked for twice where somebody is there", async () => {
    expect(await readSecret("alice", given({}), typist("one", "one"))).toBe("one");
    await expect(readSecret("alice", given({}), typist("one", "two"))).rejects.toThrow("same");
    await expect(readSecret("alice", given({}), typist(""))).rejects.toThrow("empty");
    await expect(readSecret("alice", given({}), NOBODY)).rejects.toThrow("--password-file");
  });

  it("is typed key by key", () => {
    expect(typedKey("a", "b", { name: "b" })).toBe("ab");
    expect(typedKey("ab", "\u007f", { name: "backspace" })).toBe("a");
    expect(typedKey("a\u{1f511}", undefined, { name: "backspace" })).toBe("a");
    expect(typedKey("ab", "\r", { name: "return" })).toBe(null);
    expect(typedKey("ab", "\u001b[A", { name: "up" })).toBe("ab");
    expect(typedKey("ab", undefined, { name: "up" })).toBe("ab");
    expect(() => typedKey("ab", "\u0003", { name: "c", ctrl: true })).toThrow("nothing");
  });
});
