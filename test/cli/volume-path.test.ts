import { expect, it } from "vitest";
import { UsageError } from "../../src/cli/exit-code.ts";
import { parseVolumePath, parseVolumePaths } from "../../src/cli/volume-path.ts";

it("names a pool and a volume", () => {
  expect(parseVolumePath("tank/disk 1@x")).toEqual({ pool: "tank", volume: "disk 1@x" });
});

it.each(["", "tank", "tank/", "/disk", "a/b/c"])("is not %j", (text) => {
  expect(() => parseVolumePath(text)).toThrow(UsageError);
});

it("names volumes of one pool", () => {
  expect(parseVolumePaths(["tank/a", "b", "tank/c"])).toEqual([
    { pool: "tank", volume: "a" },
    { pool: "tank", volume: "b" },
    { pool: "tank", volume: "c" },
  ]);
  expect(() => parseVolumePaths(["tank/a", "lake/b"])).toThrow("two pools");
  expect(() => parseVolumePaths([])).toThrow(UsageError);
});
