import { describe, expect, it } from "vitest";
import { TASK_SET_MAX } from "../../src/scsi/limits.ts";
import { Status } from "../../src/scsi/status.ts";
import { TaskAttribute } from "../../src/scsi/task.ts";
import { Bench } from "./support/bench.ts";
import type { FakeTask } from "./support/fake-task.ts";

const { simple, ordered, headOfQueue } = TaskAttribute;

const WRITE = "2a 00 00000000 00 0001 00";

/** Commands that flush, and therefore run until the test lets them go. */
class Queue {
  readonly bench: Bench = new Bench();

  constructor() {
    this.bench.volume.holding = true;
  }

  add(attribute: number): FakeTask {
    return this.bench.run("35 00 00000000 00 0000 00", { attribute });
  }

  /** Which of the tasks run, which wait, which ended. */
  static states(...tasks: FakeTask[]): string {
    const state = (task: FakeTask): string => {
      if (task.ends > 0) return "e";
      return task.dormant ? "d" : "r";
    };
    return tasks.map(state).join("");
  }
}

describe("SIMPLE tasks", () => {
  it("run at once, side by side", () => {
    const queue = new Queue();
    const tasks = [0, 1, 1].map((attribute) => queue.add(attribute));
    expect(Queue.states(...tasks)).toBe("rrr");
    expect(queue.bench.unit.taskSet.size).toBe(3);
  });

  it("leave in any order", () => {
    const queue = new Queue();
    const tasks = Array.from({ length: 20 }, () => queue.add(simple));
    const { held } = queue.bench.volume;
    for (let turn = 0; held.length > 0; turn++) {
      held.unshift(...held.splice((turn * 7) % held.length, 1));
      queue.bench.volume.release();
      expect(queue.bench.unit.taskSet.size).toBe(held.length);
    }
    expect(tasks.map((task) => task.ends)).toEqual(Array.from({ length: 20 }, () => 1));
  });
});

describe("ORDERED tasks", () => {
  it("wait for older ones and hold back younger ones", () => {
    const queue = new Queue();
    const tasks = [simple, simple, ordered, simple, ordered, ordered, simple].map((attribute) =>
      queue.add(attribute),
    );
    const { volume } = queue.bench;
    const seen = [Queue.states(...tasks)];
    while (volume.held.length > 0) {
      volume.release();
      seen.push(Queue.states(...tasks));
    }
    expect(seen).toEqual([
      "rrddddd",
      "erddddd",
      "eerdddd",
      "eeerddd",
      "eeeerdd",
      "eeeeerd",
      "eeeeeer",
      "eeeeeee",
    ]);
  });

  it("run at once when nothing is older", () => {
    const queue = new Queue();
    const first = queue.add(ordered);
    const second = queue.add(simple);
    expect(Queue.states(first, second)).toBe("rd");
  });

  it("end in order where every command ends within its start", () => {
    const queue = new Queue();
    const first = queue.add(simple);
    const rest = Array.from({ length: 500 }, (_none, index) =>
      queue.add(index % 3 === 0 ? ordered : simple),
    );
    queue.bench.volume.holding = false;
    queue.bench.volume.release();
    expect(Queue.states(first, ...rest)).toBe("e".repeat(501));
    expect(queue.bench.unit.taskSet.size).toBe(0);
  });
});

describe("HEAD OF QUEUE tasks", () => {
  it("run at once, and hold back what comes after", () => {
    const queue = new Queue();
    const tasks = [ordered, simple, headOfQueue, simple].map((attribute) => queue.add(attribute));
    expect(Queue.states(...tasks)).toBe("rdrd");
    queue.bench.volume.release();
    expect(Queue.states(...tasks)).toBe("edrd");
    queue.bench.volume.release();
    expect(Queue.states(...tasks)).toBe("erer");
  });
});

describe("limits", () => {
  it("TASK SET FULL refuses without touching the set", () => {
    const queue = new Queue();
    for (let count = 0; count < TASK_SET_MAX; count++) queue.add(simple);
    const task = queue.add(simple);
    expect([task.status, task.ends, task.senseBytes]).toEqual([Status.taskSetFull, 1, 0]);
    queue.bench.volume.release();
    expect(Queue.states(queue.add(simple))).toBe("r");
  });

  it("the ACA attribute, and unknown ones, are refused", () => {
    const queue = new Queue();
    for (const attribute of [4, 5, 7]) {
      expect(queue.add(attribute).senseCode).toBe(0x52400);
    }
    expect(queue.bench.unit.taskSet.size).toBe(0);
  });
});

describe("abort", () => {
  it("calls back when the last task has left", () => {
    const queue = new Queue();
    const running = queue.add(simple);
    const waiting = queue.add(ordered);
    let left = 0;
    const { taskSet } = queue.bench.unit;
    taskSet.abort([running, waiting], () => {
      left += 1;
    });
    expect([left, waiting.forgotten, running.forgotten, taskSet.size]).toEqual([0, 1, 0, 1]);
    queue.bench.volume.release();
    expect([left, running.forgotten, running.responses, taskSet.size]).toEqual([1, 1, 0, 0]);
  });

  it("calls back at once when there is nothing to wait for", () => {
    const queue = new Queue();
    let left = 0;
    queue.bench.unit.taskSet.abort([], () => {
      left += 1;
    });
    expect(left).toBe(1);
  });

  it("starts what was held back, and never what is to go as well", () => {
    const queue = new Queue();
    queue.add(simple);
    const [first, second, third] = [ordered, ordered, ordered].map((attribute) =>
      queue.add(attribute),
    );
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    const submitted = queue.bench.volume.submitted.length;
    queue.bench.unit.taskSet.abort([first, second], () => undefined);
    expect(Queue.states(first, second, third)).toBe("eed");
    queue.bench.volume.release();
    expect(Queue.states(third)).toBe("r");
    expect(queue.bench.volume.submitted.length).toBe(submitted + 1);
  });

  it("serves two functions that wait for the same task", () => {
    const queue = new Queue();
    const task = queue.add(simple);
    const left: number[] = [];
    for (const number of [1, 2]) {
      queue.bench.unit.taskSet.abort([task], () => left.push(number));
    }
    expect(left).toEqual([]);
    queue.bench.volume.release();
    expect([left, task.forgotten]).toEqual([[1, 2], 1]);
  });
});

describe("expel", () => {
  function expel(queue: Queue, tasks: FakeTask[]): { left: boolean } {
    const state = { left: false };
    queue.bench.unit.taskSet.expel(tasks, () => (state.left = true));
    return state;
  }

  it("answers what waits, what waits for its data, and what only reads, and waits for the I/O", () => {
    const queue = new Queue();
    const { volume, unit } = queue.bench;
    const flush = queue.add(simple);
    const write = queue.bench.run(WRITE, { dataOut: Buffer.alloc(512), holdDataOut: true });
    const dormant = queue.add(ordered);
    const state = expel(queue, [flush, write, dormant]);
    expect([flush, write, dormant].map((task) => task.responses)).toEqual([1, 1, 1]);
    expect([flush, write, dormant].map((task) => task.senseCode)).toEqual(
      Array.from({ length: 3 }, () => 0x52500),
    );
    expect([state.left, unit.taskSet.size, volume.submitted.length]).toEqual([false, 0, 1]);
    volume.release();
    expect([state.left, flush.released, write.released, flush.ends]).toEqual([true, 1, 0, 1]);
  });

  it.each([null, "medium"] as const)("answers what writes when that has ended (%s)", (failing) => {
    const queue = new Queue();
    const { volume, unit } = queue.bench;
    volume.cold = true;
    const write = queue.bench.run(WRITE, { dataOut: Buffer.alloc(512) });
    const state = expel(queue, [write]);
    expect([write.ends, state.left, unit.taskSet.size]).toEqual([0, false, 1]);
    expect(volume.held[0]?.kind).toBe(1);
    volume.failing = failing;
    volume.release();
    expect([write.responses, write.senseCode, state.left]).toEqual([1, 0x52500, true]);
    expect([write.released, unit.taskSet.size]).toEqual([0, 0]);
  });

  it("says of the operation of an expelled task that nobody wants it any more", () => {
    const queue = new Queue();
    const task = queue.add(simple);
    const [request] = queue.bench.volume.held;
    expect(request?.abandoned).toBe(false);
    expel(queue, [task]);
    expect(request?.abandoned).toBe(true);
    queue.bench.volume.release();
  });

  it("ends a task that was aborted before without an answer, and with it what waits for that", () => {
    const queue = new Queue();
    const { taskSet } = queue.bench.unit;
    const task = queue.add(simple);
    let aborted = false;
    taskSet.abort([task], () => (aborted = true));
    const state = expel(queue, [task]);
    expect([aborted, task.forgotten, task.responses, state.left]).toEqual([true, 1, 0, false]);
    queue.bench.volume.release();
    expect([task.ends, task.released, state.left]).toEqual([1, 1, true]);
  });

  it("starts what was held back, and never what is to go as well", () => {
    const queue = new Queue();
    const tasks = [simple, ordered, simple].map((attribute) => queue.add(attribute));
    const stays = queue.add(simple);
    expel(queue, tasks);
    expect(Queue.states(...tasks, stays)).toBe("eeer");
    expect(queue.bench.volume.submitted).toHaveLength(2);
  });

  it("is waited for by a reset of others, which takes no answer away", () => {
    const queue = new Queue();
    const { taskSet } = queue.bench.unit;
    queue.bench.volume.cold = true;
    const write = queue.bench.run(WRITE, { dataOut: Buffer.alloc(512) });
    expel(queue, [write]);
    let reset = false;
    taskSet.abort(taskSet.tasksOf(null), () => (reset = true));
    expect([reset, taskSet.hasTasksOf(queue.bench.nexus)]).toEqual([false, false]);
    expect(taskSet.find(queue.bench.nexus, write.tag)).toBeUndefined();
    queue.bench.volume.release();
    expect([reset, write.responses]).toEqual([true, 1]);
  });

  it("asserts that a task leaves after its end", () => {
    const queue = new Queue();
    expect(() => queue.bench.unit.taskSet.leave(queue.add(simple))).toThrow("before it leaves");
  });
});

describe("tasks that are waited for", () => {
  it("leave by themselves, and those of later are none of them", () => {
    const queue = new Queue();
    const { taskSet } = queue.bench.unit;
    let done = 0;
    const tasks = [queue.add(simple), queue.add(simple)];
    taskSet.await(tasks, () => (done += 1));
    queue.add(simple);
    queue.bench.volume.release();
    expect([done, Queue.states(...tasks)]).toEqual([0, "er"]);
    queue.bench.volume.release();
    expect([done, Queue.states(...tasks), taskSet.size]).toEqual([1, "ee", 1]);
    queue.bench.volume.release();
    expect(done).toBe(1);
  });

  it("may be aborted meanwhile, and are gone where there are none", () => {
    const queue = new Queue();
    const { taskSet } = queue.bench.unit;
    const order: string[] = [];
    taskSet.await([], () => order.push("none"));
    const task = queue.add(simple);
    taskSet.await([task], () => order.push("awaited"));
    taskSet.abort([task], () => order.push("aborted"));
    expect(order).toEqual(["none"]);
    queue.bench.volume.release();
    expect(order.toSorted()).toEqual(["aborted", "awaited", "none"]);
  });
});
