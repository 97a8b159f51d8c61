import { beforeEach, describe, expect, it } from "vitest";
import { eachInOrder } from "../../src/control/in-order.ts";
import { ManualClock } from "../support/manual-clock.ts";

let clock: ManualClock;
let begun: number[];
let endings: ((error?: Error) => void)[];

beforeEach(() => {
  clock = new ManualClock();
  begun = [];
  endings = [];
});

/** Something that lasts until the test ends it. */
function work(thing: number): Promise<void> {
  begun.push(thing);
  return new Promise((resolve, reject) => {
    endings[thing] = (error) => (error === undefined ? resolve() : reject(error));
  });
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  await turn();
  clock.advance(ms);
  await turn();
}

describe("things that are done in order", () => {
  it("are done one after the other as long as each ends soon", async () => {
    let isDone = false;
    const all = eachInOrder(clock, [0, 1], work).then(() => (isDone = true));
    await pass(900);
    expect(begun).toEqual([0]);
    endings[0]?.();
    await turn();
    expect([begun, isDone]).toEqual([[0, 1], false]);
    endings[1]?.();
    await all;
  });

  it("are done side by side where one hangs, and all of them are waited for", async () => {
    let isDone = false;
    const all = eachInOrder(clock, [0, 1, 2], work).then(() => (isDone = true));
    await pass(1_000);
    await pass(1_000);
    expect(begun).toEqual([0, 1, 2]);
    endings[1]?.();
    endings[2]?.();
    await turn();
    expect(isDone).toBe(false);
    endings[0]?.();
    await all;
  });

  it("end with the first that fails, once nothing runs any more", async () => {
    let error: unknown = null;
    const all = eachInOrder(clock, [0, 1, 2], work).catch((reason: unknown) => (error = reason));
    await pass(1_000);
    endings[1]?.(new Error("no disk"));
    await pass(5_000);
    expect([begun, error]).toEqual([[0, 1], null]);
    endings[0]?.();
    await all;
    expect([begun, error]).toEqual([[0, 1], new Error("no disk")]);
  });

  it("begin no more when one fails that hung before", async () => {
    const all = eachInOrder(clock, [0, 1, 2], work);
    const refused = expect(all).rejects.toThrow("too late");
    await pass(1_000);
    endings[0]?.(new Error("too late"));
    await turn();
    endings[1]?.();
    await refused;
    expect(begun).toEqual([0, 1]);
  });
});
