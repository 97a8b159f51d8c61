import { expect, it } from "vitest";
import { volumeTable, volumeText } from "../../src/cli/volume-table.ts";
import type { VolumeReport } from "../../src/control/protocol.ts";

const GIB = 1024 ** 3;

const SNAPSHOT: VolumeReport = {
  pool: "tank",
  name: "monday",
  uuid: "u2",
  sizeBytes: 4 * GIB,
  mappedBytes: GIB,
  ownedBytes: 0,
  reservedBytes: 0,
  quotaBytes: 0,
  readOnly: true,
  isSnapshot: true,
  origin: "disk",
  createdAt: "2026-11-23T06:15:09.000Z",
  isServed: false,
};

it("shows volumes, a line each or in full", () => {
  expect(volumeTable([SNAPSHOT])).toMatch(
    /tank\/monday +4 GiB +1 GiB +snapshot +read-only +disk +2026-11-23 06:15/,
  );
  expect(volumeTable([])).toBe("There are none.\n");
  expect(volumeText(SNAPSHOT)).toMatch(/snapshot tank\/monday[^]*quota +none[^]*of disk/);
  expect(volumeText({ ...SNAPSHOT, isSnapshot: false, isServed: true })).toContain("copy      of");
});
