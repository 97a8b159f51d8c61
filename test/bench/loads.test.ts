import { describe, expect, it } from "vitest";
import { DEFAULT_BLOCK_BYTES, DISK_BYTES, LOADS } from "../../bench/loads.ts";
import { loadOf } from "../../bench/peers/server.ts";
import { LOAD_GROUPS } from "../../bench/result.ts";
import { stagesOf } from "../../bench/runner.ts";
import { LoadPlan } from "../../src/initiator/load-plan.ts";

describe("the loads", () => {
  it("have ids and titles of their own", () => {
    expect(new Set(LOADS.map(({ id }) => id)).size).toBe(LOADS.length);
    expect(new Set(LOADS.map(({ title }) => title)).size).toBe(LOADS.length);
    for (const { id } of LOADS) expect(id).toMatch(/^[a-z0-9-]+$/);
  });

  it("fill all groups, also when it is to be quick", () => {
    const groups = (loads: typeof LOADS): string[] => [...new Set(loads.map(({ group }) => group))];
    expect(groups(LOADS).toSorted()).toEqual([...LOAD_GROUPS].toSorted());
    expect(groups(LOADS.filter(({ isQuick }) => isQuick)).toSorted()).toEqual(
      [...LOAD_GROUPS].toSorted(),
    );
  });

  it("keep the ids that results of other days have", () => {
    const ids = LOADS.map(({ id }) => id);
    for (const id of [
      "4k-random-mixed-d128",
      "1m-sequential-write-d16",
      "4k-random-write-d4-s32",
      "4k-random-read-d32-l16",
      "4k-random-write-d32-digests",
      "4k-random-write-d1-flush1",
      "64k-random-unmap-d8",
      "4k-random-read-d32-cold",
    ]) {
      expect(ids).toContain(id);
    }
  });

  it("are pinned, too, at depth 1", () => {
    for (const { group, queueDepth, placements } of LOADS) {
      const isPinned = group === "random" && queueDepth === 1;
      expect(placements).toEqual(isPinned ? ["free", "pinned"] : ["free"]);
    }
  });

  it("are put on by others where these are few and have bars", () => {
    const few = LOADS.filter((load) => load.isCheckedByOthers).map(({ id }) => id);
    expect(few).toEqual([
      "4k-random-read-d32",
      "4k-random-write-d32",
      "128k-sequential-read-d16",
      "128k-sequential-write-d16",
    ]);
  });

  it("can be planned on disks of their size, on as many LUNs as they say", () => {
    for (const shape of LOADS) {
      const luns = Array.from({ length: shape.luns }, (_, index) => index + 1);
      const load = loadOf(shape, DISK_BYTES, luns);
      expect(new LoadPlan(load).nextBlock(0, 1)).toBeGreaterThanOrEqual(0);
      expect(load.luns).toEqual(luns);
      expect(load.capacityBlocks * shape.luns * DEFAULT_BLOCK_BYTES).toBe(DISK_BYTES);
    }
  });
});

describe("the stages", () => {
  it("start the peers once for loads on the same files, and anew for what unmaps", () => {
    const stages = stagesOf(LOADS);
    expect(stages.flatMap(({ loads }) => loads)).toHaveLength(LOADS.length);
    for (const { loads, luns, backing } of stages) {
      expect(loads.every((load) => load.luns === luns && load.backing === backing)).toBe(true);
      expect(new Set(loads.map(({ kind }) => kind === "unmap")).size).toBe(1);
    }
    expect(stages).toHaveLength(5);
  });
});
