import { describe, expect, it } from "vitest";

import type { IscsiTask } from "../../src/iscsi/iscsi-task.ts";
import { ABORTED_TAGS_MAX, COMMAND_WINDOW, IMMEDIATE_TASKS_MAX } from "../../src/iscsi/limits.ts";
import { Session } from "../../src/iscsi/session.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { FakeConnection, fakeTarget, loginOf, type FakeTarget } from "./support/fake-login.ts";

interface Bench extends FakeTarget {
  readonly connection: FakeConnection;
  readonly session: Session;
}

function open(): Bench {
  const fake = fakeTarget();
  const connection = new FakeConnection();
  const session = new Session(loginOf(fake.target), 1, 2, connection, 100);
  for (const unit of fake.target.device.units.values()) session.nexus.takeAttention(unit);
  return { ...fake, connection, session };
}

/** A command as the full-feature phase brings it in, with an operation on the volume that is still running. */
function begin(bench: Bench, tag: number, immediate = false): IscsiTask {
  const { session, connection, unit } = bench;
  const task = session.acquireTask(connection);
  task.tag = tag;
  task.nexus = session.nexus;
  task.immediate = immediate;
  if (immediate) session.immediateCount += 1;
  else session.window.taskStarted();
  session.tasks.set(tag, task);
  task.unit = unit;
  unit.taskSet.add(task);
  task.runIo(IoKind.flush, 0, 0, false, (_unit, done) => done.complete(0));
  return task;
}

describe("Session", () => {
  it("is a nexus between the ports of the login", () => {
    const { session, target } = open();
    expect(session).toMatchObject({ tsih: 1, isid: "400000000001", initiatorAlias: "alias" });
    expect(session.nexus.initiatorPort).toBe("iqn.2026-11.net.example:initiator,i,0x400000000001");
    expect(session.nexus.targetPort).toBe(`${target.name},t,0x0002`);
    expect([session.window.expCmdSn, session.window.maxCmdSn]).toEqual([
      100,
      100 + COMMAND_WINDOW - 1,
    ]);
    expect(target.device.nexuses.has(session.nexus)).toBe(true);
    expect(session.open).toBe(true);
  });

  it("uses a task again when it was answered, and not before", () => {
    const bench = open();
    bench.volume.holding = true;
    const [first, second] = [begin(bench, 1), begin(bench, 2)];
    expect(first === second).toBe(false);
    bench.volume.release();
    expect([...bench.session.tasks.keys()]).toEqual([2]);
    expect(begin(bench, 3) === first).toBe(true);
    expect(begin(bench, 4) === second).toBe(false);
    expect([...bench.session.tasks.keys()]).toEqual([2, 3, 4]);
  });

  it("uses a task that was answered before its I/O ended only when that is over", () => {
    const bench = open();
    bench.volume.holding = true;
    const first = begin(bench, 1);
    let left = false;
    bench.target.device.detach(0, () => (left = true));
    expect(bench.connection.responses).toMatchObject([{ initiatorTaskTag: 1, status: 2 }]);
    expect([bench.session.tasks.size, left]).toEqual([0, false]);
    const second = begin(bench, 1);
    expect(second === first).toBe(false);
    bench.volume.release();
    expect(left).toBe(true);
    expect([...bench.session.tasks.values()]).toEqual([second]);
    expect(begin(bench, 2) === first).toBe(true);
  });

  it("counts commands of the window and immediate ones apart", () => {
    const bench = open();
    bench.volume.holding = true;
    begin(bench, 1);
    begin(bench, 2, true);
    expect(bench.session.immediateCount).toBe(1);
    bench.session.window.advance();
    expect(bench.session.window.maxCmdSn).toBe(100 + COMMAND_WINDOW - 1);
    bench.volume.release();
    bench.volume.release();
    expect(bench.session.immediateCount).toBe(0);
    expect(bench.session.window.maxCmdSn).toBe(101 + COMMAND_WINDOW - 1);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.connection.responses.map((answer) => answer.initiatorTaskTag)).toEqual([1, 2]);
  });

  it("remembers as many aborted tags as one reset can abort, and no more", () => {
    const bench = open();
    bench.volume.holding = true;
    const count = COMMAND_WINDOW + IMMEDIATE_TASKS_MAX;
    expect(ABORTED_TAGS_MAX).toBeGreaterThanOrEqual(count);
    for (let tag = 0; tag < ABORTED_TAGS_MAX + 1; tag += 1) {
      begin(bench, tag);
      bench.session.abortTasks(() => undefined);
      bench.volume.release();
    }
    expect(bench.session.wasAborted(0)).toBe(false);
    expect(bench.session.wasAborted(1)).toBe(true);
    expect(bench.session.wasAborted(ABORTED_TAGS_MAX)).toBe(true);
  });

  it("asserts that a task retires once", () => {
    const bench = open();
    bench.volume.holding = true;
    const task = begin(bench, 1);
    bench.volume.release();
    expect(() => bench.session.retireTask(task, false)).toThrow("once");
  });
});

describe("the end of a session", () => {
  it("drops its connection at once, and is done when nothing of its I/O is running", () => {
    const bench = open();
    bench.volume.holding = true;
    const tasks = [begin(bench, 1), begin(bench, 2, true)];
    const events: string[] = [];
    bench.session.close("the cable", () => events.push("first"));
    bench.session.close("again", () => events.push("second"));
    expect(bench.connection.drops).toEqual(["the cable"]);
    expect([bench.session.open, bench.session.connection]).toEqual([false, null]);
    bench.volume.release();
    expect(events).toEqual([]);
    bench.volume.release();
    expect(events).toEqual(["first", "second"]);
    bench.session.close("late", () => events.push("third"));
    expect(events).toEqual(["first", "second", "third"]);
    expect(bench.connection.responses).toEqual([]);
    expect(bench.session.tasks.size).toBe(0);
    expect(bench.session.immediateCount).toBe(0);
    expect(tasks.every((task) => task.retired)).toBe(true);
    expect(bench.target.device.nexuses.size).toBe(0);
  });

  it("forgets tasks whose answer waited for data", () => {
    const bench = open();
    const { session, connection } = bench;
    const task = session.acquireTask(connection);
    task.tag = 9;
    task.expectedOutBytes = 4096;
    session.window.taskStarted();
    session.tasks.set(9, task);
    task.dataOut.expectUnsolicited();
    task.fail(0x5_25_00);
    task.dataOut.begin(Buffer.alloc(0), 0, 0);
    expect(session.tasks.size).toBe(1);
    let closed = false;
    session.close("over", () => (closed = true));
    expect(closed).toBe(true);
    expect(session.tasks.size).toBe(0);
    expect(connection.responses).toEqual([]);
  });

  it("leaves what another session runs on the same disk alone", () => {
    const bench = open();
    bench.volume.holding = true;
    const connection = new FakeConnection();
    const login = loginOf(bench.target, { isid: "400000000002" });
    const other: Bench = { ...bench, connection, session: new Session(login, 2, 2, connection, 1) };
    begin(other, 1);
    let closed = false;
    bench.session.close("over", () => (closed = true));
    expect(closed).toBe(true);
    bench.volume.release();
    expect(connection.responses).toMatchObject([{ initiatorTaskTag: 1, status: 0 }]);
  });
});
