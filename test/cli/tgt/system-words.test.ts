import { openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { systemWords } from "../../../src/cli/tgt/system-words.ts";

function errorOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe("the words for an error of the system", () => {
  it("are those of the C library", () => {
    expect(systemWords(errorOf(() => openSync("/none/at/all", "r")))).toBe(
      "No such file or directory",
    );
    expect(systemWords(Object.assign(new Error("rare"), { code: "ERARE" }))).toBe("ERARE");
  });

  it("are none for a defect", () => {
    const defect = new TypeError("defect");
    expect(() => systemWords(defect)).toThrow(defect);
  });
});
