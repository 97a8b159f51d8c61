import { describe, expect, it } from "vitest";
import { LoadAction, MIXED_READ_SHARE, type Load } from "../../src/initiator/load.ts";
import { LoadPlan } from "../../src/initiator/load-plan.ts";

const BASE: Load = {
  kind: "read",
  pattern: "random",
  lun: 1,
  commandBytes: 4096,
  queueDepth: 4,
  blockBytes: 512,
  capacityBlocks: 8 * 64,
};

/** So many commands of one place in the queue. */
function take(load: Load, count: number, slot = 0): { action: LoadAction; block: number }[] {
  const plan = new LoadPlan(load);
  return Array.from({ length: count }, () => {
    const action = plan.nextAction(slot);
    return { action, block: action === LoadAction.flush ? -1 : plan.nextBlock(slot, action) };
  });
}

describe("the plan of a load", () => {
  it("goes on from one place to the next, and from the last to the first", () => {
    const blocks = take({ ...BASE, pattern: "sequential" }, 65).map(({ block }) => block);
    expect(blocks.slice(0, 3)).toEqual([8, 16, 24]);
    expect(blocks.slice(62)).toEqual([504, 0, 8]);
  });

  it("comes to all places at random, in whole commands, the same each time", () => {
    const blocks = take(BASE, 2000).map(({ block }) => block);
    expect(new Set(blocks).size).toBe(64);
    expect(blocks.every((block) => block % 8 === 0 && block >= 0 && block < 512)).toBe(true);
    expect(take(BASE, 2000).map(({ block }) => block)).toEqual(blocks);
  });

  it("sends sessions with other seeds to other places", () => {
    const first = take(BASE, 50).map(({ block }) => block);
    const second = take({ ...BASE, seed: 1 }, 50).map(({ block }) => block);
    expect(second).not.toEqual(first);
  });

  it("visits each scattered place once", () => {
    const scatter = { strideBlocks: 128, places: 16, first: 0, count: 16 };
    const load: Load = { ...BASE, pattern: "scattered", capacityBlocks: 16 * 128, scatter };
    const blocks = take(load, 16).map(({ block }) => block / 128);
    expect(blocks.toSorted((one, other) => one - other)).toEqual([...Array(16).keys()]);
    const odd = { ...load, scatter: { ...scatter, places: 12 } };
    expect(() => new LoadPlan(odd)).toThrow(/power of two/);
  });

  it("mixes reads and writes in proportion", () => {
    const actions = take({ ...BASE, kind: "mixed" }, 10_000).map(({ action }) => action);
    const reads = actions.filter((action) => action === LoadAction.read).length;
    expect(Math.abs(reads / 10_000 - MIXED_READ_SHARE)).toBeLessThan(0.03);
    expect(new LoadPlan({ ...BASE, kind: "mixed" }).actions).toEqual([
      LoadAction.read,
      LoadAction.write,
    ]);
  });

  it("flushes after so many others", () => {
    const actions = take({ ...BASE, kind: "write", flushEvery: 3 }, 9).map(({ action }) => action);
    const { write, flush } = LoadAction;
    expect(actions).toEqual([write, write, write, flush, write, write, write, flush, write]);
  });

  it("unmaps what the same place in the queue has written", () => {
    const plan = new LoadPlan({ ...BASE, kind: "unmap" });
    const steps = [0, 1, 0, 1, 0].map((slot) => {
      const action = plan.nextAction(slot);
      return { action, block: plan.nextBlock(slot, action) };
    });
    const { write, unmap } = LoadAction;
    expect(steps.map(({ action }) => action)).toEqual([write, write, unmap, unmap, write]);
    expect([steps[2]?.block, steps[3]?.block]).toEqual([steps[0]?.block, steps[1]?.block]);
    expect(plan.actions).toEqual([write, unmap]);
  });

  it("takes whole blocks on a disk that has room for one command", () => {
    expect(() => new LoadPlan({ ...BASE, commandBytes: 700 })).toThrow(/whole blocks/);
    expect(() => new LoadPlan({ ...BASE, capacityBlocks: 4 })).toThrow(/fits the disk/);
  });
});
