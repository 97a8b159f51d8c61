import { expect, it } from "vitest";
import { volumeTable, volumeText } from "../../src/cli/volume-table.ts";
import { SNAPSHOT } from "./snapshot-report.ts";

it("shows volumes, a line each or in full", () => {
  expect(volumeTable([SNAPSHOT])).toMatch(
    /tank\/monday +4 GiB +1 GiB +snapshot +read-only +disk +2026-11-23 06:15/,
  );
  expect(volumeTable([])).toBe("There are none.\n");
  expect(volumeText(SNAPSHOT)).toMatch(/snapshot tank\/monday[^]*quota +none[^]*of disk/);
  expect(volumeText({ ...SNAPSHOT, isSnapshot: false, isServed: true })).toContain("copy      of");
});
