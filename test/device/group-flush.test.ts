import { describe, expect, it } from "vitest";
import { GroupFlush } from "../../src/device/group-flush.ts";
import type { IoError } from "../../src/util/io-error.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

type Finish = (error: Error | null) => void;

/** A group whose fdatasync ends when the test says so. */
function makeGroup(): { group: GroupFlush; running: Finish[] } {
  const running: Finish[] = [];
  const group = new GroupFlush("disk", (done) => running.push(done));
  return { group, running };
}

const request = (): TestRequest => new TestRequest(IoKind.flush);

describe("GroupFlush", () => {
  it("covers with the running flush only who asked before it began", () => {
    const { group, running } = makeGroup();
    const [first, second, third] = [request(), request(), request()];
    group.add(first);
    group.add(second);
    group.add(third);
    expect(running).toHaveLength(1);
    running[0]!(null);
    expect([first.doneCount, second.doneCount, third.doneCount]).toEqual([1, 0, 0]);
    expect(running).toHaveLength(2);
    running[1]!(null);
    expect([first.doneCount, second.doneCount, third.doneCount]).toEqual([1, 1, 1]);
    expect([running.length, group.isRunning]).toEqual([2, false]);
  });

  it("flushes once more for background flushes that came while one ran, not for each", () => {
    const { group, running } = makeGroup();
    group.begin();
    group.begin();
    group.begin();
    running[0]!(null);
    running[1]!(null);
    expect([running.length, group.isRunning]).toEqual([2, false]);
  });

  it("fails everybody after a failure, and never tries again", () => {
    const { group, running } = makeGroup();
    const [first, second] = [request(), request()];
    group.add(first);
    group.add(second);
    const cause = new Error("EIO");
    running[0]!(cause);
    const late = request();
    group.add(late);
    for (const { doneCount, error } of [first, second, late]) {
      expect(doneCount).toBe(1);
      expect(error).toMatchObject({ kind: "failed", object: "disk", cause });
    }
    expect(running).toHaveLength(1);
    expect(group.failure).toBe(first.error);
  });

  it("tells of a failure at once, though nobody has asked for the flush", () => {
    const { group, running } = makeGroup();
    const told: string[] = [];
    group.onFailure(({ kind }) => told.push(`first ${kind}`));
    group.onFailure(() => told.push("not any more"))();
    group.begin();
    running[0]!(new Error("EIO"));
    expect(told).toEqual(["first failed"]);
    group.onFailure(({ kind }) => told.push(`late ${kind}`));
    group.begin();
    expect(told).toEqual(["first failed", "late failed"]);
  });

  it("tells of a failure before it answers those who asked: they may answer somebody else", () => {
    const { group, running } = makeGroup();
    const asked = request();
    group.add(asked);
    const before: number[] = [];
    group.onFailure(() => before.push(asked.doneCount));
    running[0]!(new Error("EIO"));
    expect([before, asked.doneCount]).toEqual([[0], 1]);
  });

  it("takes another one's word for a failure, and the flush under way for failed", () => {
    const { group, running } = makeGroup();
    const asked = request();
    group.add(asked);
    const told: IoError[] = [];
    group.onFailure((error) => told.push(error));
    const cause = new Error("ENOSPC");
    group.fail(cause);
    group.fail(new Error("EIO"));
    expect(told).toMatchObject([{ kind: "failed", cause }]);
    expect(asked.doneCount).toBe(0);
    running[0]!(null);
    expect([asked.doneCount, asked.error]).toEqual([1, group.failure]);
    const late = request();
    group.add(late);
    expect([late.error, running.length]).toEqual([group.failure, 1]);
  });

  it("tells when it is idle", () => {
    const { group, running } = makeGroup();
    let idle = 0;
    group.whenIdle(() => (idle += 1));
    expect(idle).toBe(1);
    group.add(request());
    group.add(request());
    group.whenIdle(() => (idle += 1));
    running[0]!(null);
    expect(idle).toBe(1);
    running[1]!(null);
    expect(idle).toBe(2);
  });
});
