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

  it("goes on for a moment after a command, and then lets the loop sleep", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, true);
    turn.active(1000);
    for (let count = 0; count < 5; count += 1) await nextTurn();
    const polled = clock.reads;
    expect(polled).toBeGreaterThan(3);
    clock.advance(1);
    await nextTurn();
    await nextTurn();
    const ended = clock.reads;
    await nextTurn();
    await nextTurn();
    expect(clock.reads).toBe(ended);
    turn.active(1001);
    await nextTurn();
    expect(clock.reads).toBeGreaterThan(ended);
    clock.advance(1);
    await nextTurn();
  });

  it("does not poll where it is told not to", async () => {
    const clock = new CountingClock();
    const turn = new Turn(clock, false);
    turn.active(1000);
    await nextTurn();
    expect(clock.reads).toBe(0);
  });
});
