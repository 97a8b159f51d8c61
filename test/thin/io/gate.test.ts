import { describe, expect, it } from "vitest";
import { closeAll, Gate } from "../../../src/thin/io/gate.ts";

/** Whether a promise has resolved by now, all that is due done. */
function settles(promise: Promise<unknown>): () => Promise<boolean> {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  return async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    return isDone;
  };
}

describe("a volume's gate", () => {
  it("lets no change pass once it is closed, and waits for those that had", async () => {
    const gate = new Gate();
    expect(gate.tryEnterChange()).toBe(true);
    const isClosed = settles(gate.close());
    expect(gate.isClosed).toBe(true);
    expect(gate.tryEnterChange()).toBe(false);
    expect(await isClosed()).toBe(false);
    gate.leaveChange();
    expect(await isClosed()).toBe(true);
    gate.open();
    expect(gate.tryEnterChange()).toBe(true);
    expect(gate.changes).toBe(1);
  });

  it("lets reads pass, and does not wait for them, unless that is asked for", async () => {
    const gate = new Gate();
    expect(gate.tryEnterRead()).toBe(true);
    expect(await settles(gate.close())()).toBe(true);
    expect(gate.tryEnterRead()).toBe(true);
    gate.open();
    const isClosed = settles(gate.close({ reads: true }));
    expect(gate.tryEnterRead()).toBe(false);
    gate.leaveRead();
    expect(await isClosed()).toBe(false);
    gate.leaveRead();
    expect(await isClosed()).toBe(true);
    expect(gate.isClosedToReads).toBe(true);
    gate.open();
    expect(gate.tryEnterRead()).toBe(true);
  });

  it("lets those who wait in, in their order", async () => {
    const gate = new Gate();
    await gate.close();
    const admitted: number[] = [];
    for (const id of [1, 2, 3]) gate.wait({ admitted: () => admitted.push(id) });
    expect(admitted).toEqual([]);
    gate.open();
    expect(admitted).toEqual([1, 2, 3]);
  });

  it("keeps the rest waiting, in front, where one of them closes it anew", async () => {
    const gate = new Gate();
    await gate.close();
    const admitted: number[] = [];
    gate.wait({
      admitted: () => {
        admitted.push(1);
        void gate.close();
        gate.wait({ admitted: () => admitted.push(3) });
      },
    });
    gate.wait({ admitted: () => admitted.push(2) });
    gate.open();
    expect(admitted).toEqual([1]);
    expect(gate.isClosed).toBe(true);
    await Promise.resolve();
    gate.open();
    expect(admitted).toEqual([1, 2, 3]);
  });

  it("is closed by one at a time", async () => {
    const gate = new Gate();
    await gate.close();
    const isClosed = settles(gate.close());
    expect(await isClosed()).toBe(false);
    gate.open();
    expect(await isClosed()).toBe(true);
    expect(gate.isClosed).toBe(true);
  });

  it("closes with those of its group in one step, or not at all", async () => {
    const gates = [new Gate(), new Gate(), new Gate()];
    const [first, second] = gates;
    await second?.close();
    const isClosed = settles(closeAll(gates));
    await Promise.resolve();
    expect(gates.map((gate) => gate.isClosed)).toEqual([false, true, false]);
    expect(first?.tryEnterChange()).toBe(true);
    second?.open();
    expect(await isClosed()).toBe(false);
    expect(gates.map((gate) => gate.isClosed)).toEqual([true, true, true]);
    first?.leaveChange();
    expect(await isClosed()).toBe(true);
  });

  it("serves two groups that share volumes one after the other", async () => {
    const [a, b] = [new Gate(), new Gate()];
    const first = settles(closeAll([a, b]));
    const second = settles(closeAll([b, a]));
    expect([await first(), await second()]).toEqual([true, false]);
    a.open();
    expect(await second()).toBe(false);
    b.open();
    expect(await second()).toBe(true);
  });
});
