import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findVolume } from "../../../src/control/operations/find.ts";
import { servedNames, servedPlaces } from "../../../src/control/operations/served.ts";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

describe("where a volume is served", () => {
  it("is told by LUN and target", async () => {
    await bench.makePool("a", "b");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/a", lun: 4 });
    const { volume } = findVolume(bench.context, "tank", "a");
    expect(servedNames(bench.context, volume)).toEqual(["tank/a"]);
    expect(servedPlaces(bench.context, volume)).toBe(`LUN 4 of ${DISK}`);
    const other = findVolume(bench.context, "tank", "b").volume;
    expect(servedPlaces(bench.context, other)).toBe("");
    const { daemon: _, ...offline } = bench.context;
    expect(servedNames(offline, volume)).toEqual([]);
    expect(servedPlaces(offline, volume)).toBe("");
  });
});
