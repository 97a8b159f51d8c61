import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { Turn, type TurnMember } from "../../src/iscsi/turn.ts";
import { ManualClock } from "../support/manual-clock.ts";

class Member implements TurnMember {
  ends = 0;
  onEnd: () => void = () => undefined;

  endTurn(): void {
    this.ends += 1;
    this.onEnd();
  }
}

/** Counts how often the clock is asked: once for each turn that polls. */
class CountingClock extends ManualClock {
  reads = 0;

  override nowMs(): number {
    this.reads += 1;
    return super.nowMs();
  }
}

describe("Turn", () => {
  it("ends once for each member that joined it, in their order", async () => {
    const turn = new Turn(new ManualClock(), false);
    const order: string[] = [];
    const [first, second] = [new Member(), new Member()];
    first.onEnd = () => order.push("first");
    second.onEnd = () => order.push("second");
    turn.join(first);
    turn.join(second);
    expect(order).toEqual([]);
    await nextTurn();
    expect(order).toEqual(["first", "second"]);
    await nextTurn();
    expect(order).toHaveLength(2);
  });

  it("takes who joins at its end into the next one", async () => {
    const turn = new Turn(new ManualClock(), false);
    const member = new Member();
    member.onEnd = () => {
      if (member.ends < 3) turn.join(member);
    };
    turn.join(member);
    await nextTurn();
    expect(member.ends).toBe(1);
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(member.ends).toBe(3);
  });

  it("goes on for a moment after an answer, and then lets the loop sleep", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, true);
    turn.answered();
    expect(await readsOf(clock, 5)).toBeGreaterThan(3);
    clock.advance(1);
    await nextTurn();
    expect(await readsOf(clock, 3)).toBe(0);
    turn.answered();
    expect(await readsOf(clock, 3)).toBeGreaterThan(1);
    clock.advance(1);
    await nextTurn();
  });

  it("goes on for that moment also after an answer that goes out at the turn's end, however long it took", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, true);
    const member = new Member();
    member.onEnd = () => {
      clock.advance(1);
      turn.answered();
    };
    turn.join(member);
    await nextTurn();
    expect(await readsOf(clock, 3)).toBe(3);
    clock.advance(1);
    await nextTurn();
  });

  it("does not go on while a command waits for something, which ends by an event", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, true);
    turn.answered();
    expect(await readsOf(clock, 3)).toBeGreaterThan(1);
    turn.heard();
    await nextTurn();
    expect(await readsOf(clock, 3)).toBe(0);
  });

  it("gives polling up where no command ends it, looks now and then, and takes it up where it pays", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, true);
    /** A command to which the next comes a millisecond later; returns how often the loop went round for it. */
    const slowCommand = async (): Promise<number> => {
      turn.heard();
      turn.answered();
      const reads = await readsOf(clock, 4);
      clock.advance(1);
      await nextTurn();
      return reads;
    };
    const polled: boolean[] = [];
    for (let count = 0; count < 100; count += 1) polled.push((await slowCommand()) > 1);
    expect(polled.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => true));
    const probes = polled.slice(16).filter((one) => one).length;
    expect(probes).toBeGreaterThan(0);
    expect(probes).toBeLessThanOrEqual(4);
    // Commands that come at once, as soon as a probe meets one of them.
    for (let count = 0; count < 40; count += 1) {
      turn.heard();
      turn.answered();
      await nextTurn();
    }
    expect(await slowCommand()).toBeGreaterThan(1);
  });

  it("does not poll where it is told not to", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, false);
    turn.answered();
    turn.join(new Member());
    await nextTurn();
    expect(await readsOf(clock, 3)).toBe(0);
  });
});

/** How often the clock was asked within so many turns. */
async function readsOf(clock: CountingClock, turns: number): Promise<number> {
  const before = clock.reads;
  for (let count = 0; count < turns; count += 1) await nextTurn();
  return clock.reads - before;
}
