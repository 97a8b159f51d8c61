import { describe, expect, it } from "vitest";

import { CommandOrder, CommandWindow } from "../../src/iscsi/command-window.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { serialAdd, serialDistance } from "../../src/util/serial-number.ts";

const { next, early, outside } = CommandOrder;

describe("CommandWindow", () => {
  it("opens to its width", () => {
    const window = new CommandWindow(100, 4);
    expect([window.expCmdSn, window.maxCmdSn]).toEqual([100, 103]);
    expect([99, 100, 101, 103, 104].map((cmdSn) => window.orderOf(cmdSn))).toEqual([
      outside,
      next,
      early,
      early,
      outside,
    ]);
  });

  it("wraps around", () => {
    const window = new CommandWindow(0xffff_fffe, 4);
    expect(window.maxCmdSn).toBe(1);
    expect([0xffff_fffd, 0xffff_fffe, 0xffff_ffff, 0, 1, 2].map((n) => window.orderOf(n))).toEqual([
      outside,
      next,
      early,
      early,
      early,
      outside,
    ]);
    window.advance();
    window.advance();
    expect([window.expCmdSn, window.maxCmdSn]).toEqual([0, 3]);
  });

  it("closes with the commands that are at work, and never takes back what it granted", () => {
    const window = new CommandWindow(1, 2);
    expect(window.maxCmdSn).toBe(2);
    for (const cmdSn of [1, 2]) {
      expect(window.orderOf(cmdSn)).toBe(next);
      window.advance();
      window.taskStarted();
      expect(window.maxCmdSn).toBe(2);
    }
    expect(window.expCmdSn).toBe(3);
    expect(window.orderOf(3)).toBe(outside);
    window.taskEnded();
    expect(window.maxCmdSn).toBe(3);
    expect(window.orderOf(3)).toBe(next);
    window.taskEnded();
    expect(window.maxCmdSn).toBe(4);
    expect(() => window.taskEnded()).toThrow("no more tasks");
  });

  it("takes only what the initiator can know of: a MaxCmdSN that was read", () => {
    const window = new CommandWindow(1, 1);
    window.advance();
    expect(window.orderOf(2)).toBe(outside);
    expect(window.maxCmdSn).toBe(2);
    expect(window.orderOf(2)).toBe(next);
  });

  it("counts an aborted number as received, whether it is next or later", () => {
    const window = new CommandWindow(1, 8);
    expect(window.countAsReceived(3)).toBe(true);
    expect(window.orderOf(3)).toBe(outside);
    expect(window.countAsReceived(3)).toBe(false);
    expect(window.countAsReceived(2)).toBe(true);
    expect(window.expCmdSn).toBe(1);
    expect(window.countAsReceived(1)).toBe(true);
    expect(window.expCmdSn).toBe(4);
    expect([0, 9].map((cmdSn) => window.countAsReceived(cmdSn))).toEqual([false, false]);
  });

  it("keeps its promises through a long random life around the wrap", () => {
    const random = new SeededRandom(chooseSeed(process.env));
    const width = random.between(1, 9);
    const window = new CommandWindow(serialAdd(0, -random.below(200)), width);
    let { maxCmdSn, expCmdSn } = window;
    let activeCount = 0;
    for (let step = 0; step < 2000; step += 1) {
      const cmdSn = serialAdd(window.expCmdSn, random.between(-2, width + 1));
      const order = window.orderOf(cmdSn);
      if (random.chance(0.2)) expect(window.countAsReceived(cmdSn)).toBe(order !== outside);
      else if (order === next) {
        window.advance();
        window.taskStarted();
        activeCount += 1;
      } else if (activeCount > 0 && random.chance(0.7)) {
        window.taskEnded();
        activeCount -= 1;
      }
      const hint = `seed ${random.seed}, step ${step}`;
      expect(serialDistance(maxCmdSn, window.maxCmdSn), hint).toBeGreaterThanOrEqual(0);
      expect(serialDistance(expCmdSn, window.expCmdSn), hint).toBeGreaterThanOrEqual(0);
      const openCount = serialDistance(window.expCmdSn, window.maxCmdSn) + 1;
      expect(openCount, hint).toBeGreaterThanOrEqual(0);
      expect(openCount, hint).toBeLessThanOrEqual(width);
      expect(activeCount, hint).toBeLessThanOrEqual(width);
      ({ maxCmdSn, expCmdSn } = window);
    }
  });
});
