import { expect, it } from "vitest";
import { snapshotCommand } from "../../../src/cli/snapshot.ts";
import { rollbackLoss, snapshotNames } from "../../../src/cli/snapshot/commands.ts";

const NOW = new Date("2026-11-23T06:15:09.123Z");
const [A, B] = [
  { pool: "tank", volume: "a" },
  { pool: "tank", volume: "b" },
] as const;

it("names snapshots by a pattern", () => {
  expect(snapshotNames([A, B], "{volume}@{time}", NOW)).toEqual([
    { volume: "a", name: "a@20261123T061509Z" },
    { volume: "b", name: "b@20261123T061509Z" },
  ]);
  expect(snapshotNames([A], "monday", NOW)).toEqual([{ volume: "a", name: "monday" }]);
  expect(() => snapshotNames([A, B], "monday", NOW)).toThrow("{volume}");
  expect(snapshotCommand.command).toBe("snapshot");
});

it("asks for the consent to a rollback with both names", () => {
  expect(rollbackLoss("tank/disk1", "monday", false)).toEqual({
    what: "tank/disk1 becomes what monday is: what was written to it since will be lost",
    word: "tank/disk1 monday",
  });
  expect(rollbackLoss("tank/disk1", "disk2", true)).toEqual({
    what: "tank/disk1 becomes what disk2 is: all of its own content can be lost",
    word: "tank/disk1 disk2",
  });
});
