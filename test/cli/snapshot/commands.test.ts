import { expect, it } from "vitest";
import { snapshotCommand } from "../../../src/cli/snapshot.ts";
import { snapshotNames } from "../../../src/cli/snapshot/commands.ts";

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
