import { describe, expect, it } from "vitest";
import { MODE_PAGES } from "../../../src/scsi/commands/mode-pages.ts";
import { response } from "../../../src/scsi/commands/response.ts";
import { Bench } from "../support/bench.ts";

describe("mode pages", () => {
  it("are in the order of their codes", () => {
    const codes = MODE_PAGES.map(({ page, subpage }) => page * 256 + subpage);
    expect(codes).toEqual(codes.toSorted((one, other) => one - other));
    expect(new Set(codes).size).toBe(codes.length);
  });

  it("have the length that they state", () => {
    const { unit } = new Bench();
    for (const { page, build, lengthBytes } of MODE_PAGES) {
      response.start();
      build(unit);
      expect([page, response.lengthBytes]).toEqual([page, lengthBytes]);
    }
  });
});
