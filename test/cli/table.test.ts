import { describe, expect, it } from "vitest";
import { formatTable, terminalColumns } from "../../src/cli/table.ts";

const COLUMNS = [{ heading: "NAME" }, { heading: "SIZE", isNumber: true }, { heading: "OF" }];

describe("a table", () => {
  it("is as wide as it needs to be, numbers to the right", () => {
    const rows = [
      ["a", "1 GiB", "x"],
      ["long", "512 B", ""],
    ];
    expect(formatTable(COLUMNS, rows, 80)).toBe("NAME   SIZE  OF\na     1 GiB  x\nlong  512 B\n");
  });

  it("cuts the widest text where it does not fit, and never a number", () => {
    const rows = [["a-very-long-name-of-a-volume", "1234567890", "origin"]];
    const text = formatTable(COLUMNS, rows, 34);
    expect(text.split("\n").every((line) => line.length <= 34)).toBe(true);
    expect(text).toMatch(/a-very-.*~ +1234567890 +origin/);
    expect(formatTable(COLUMNS, rows, 5)).toContain("1234567890");
  });

  it("is not cut where nobody looks", () => {
    expect(terminalColumns()).toBeGreaterThan(0);
  });
});
