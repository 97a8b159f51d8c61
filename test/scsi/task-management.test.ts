import { describe, expect, it } from "vitest";
import type { Nexus } from "../../src/scsi/nexus.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import { Sense } from "../../src/scsi/sense.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../../src/scsi/task-management.ts";
import { Bench } from "./support/bench.ts";
import type { FakeTask } from "./support/fake-task.ts";
import { FakeVolume } from "./support/fake-volume.ts";

const FLUSH = "35 00 00000000 00 0000 00";
const TEST_UNIT_READY = "00 00 000000 00";

/** A unit with two nexuses, whose flushes wait for the test. */
class Scene {
  readonly bench: Bench = new Bench();
  readonly one: Nexus = this.bench.nexus;
  readonly two: Nexus = this.bench.open("iqn.2026-01.io.example:two,i,0x2");
  readonly responses: number[] = [];

  constructor() {
    this.bench.volume.holding = true;
  }

  start(nexus: Nexus, tag: number): FakeTask {
    return this.bench.run(FLUSH, { nexus, tag });
  }

  manage(name: keyof typeof TaskManagementFunction, tag = 0, lun = 0): number | undefined {
    const request = { nexus: this.one, function: TaskManagementFunction[name], lun, tag };
    this.bench.device.manage(request, (response) => this.responses.push(response));
    return this.responses.at(-1);
  }

  /** All attentions that wait, by nexus. */
  attentions(nexus: Nexus, unit: LogicalUnit = this.bench.unit): number[] {
    const codes: number[] = [];
    for (let code = nexus.takeAttention(unit); code !== -1; code = nexus.takeAttention(unit)) {
      codes.push(code);
    }
    return codes;
  }
}

describe("ABORT TASK", () => {
  it("ends one task of the nexus without a response", () => {
    const scene = new Scene();
    const [task, other, foreign] = [
      scene.start(scene.one, 5),
      scene.start(scene.one, 6),
      scene.start(scene.two, 5),
    ];
    expect(scene.manage("abortTask", 5)).toBeUndefined();
    expect([task.aborted, other.aborted, foreign.aborted]).toEqual([true, false, false]);
    scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
    expect([task.responses, task.forgotten]).toEqual([0, 1]);
    expect([...scene.attentions(scene.one), ...scene.attentions(scene.two)]).toEqual([]);
  });

  it("does not call a task gone, when asked again, before its I/O has ended", () => {
    const scene = new Scene();
    scene.start(scene.one, 5);
    scene.manage("abortTask", 5);
    expect(scene.manage("abortTask", 5)).toBeUndefined();
    scene.bench.volume.release();
    const { functionComplete } = TaskManagementResponse;
    expect(scene.responses).toEqual([functionComplete, functionComplete]);
  });

  it("waits for the data-out of nobody", () => {
    const scene = new Scene();
    const task = scene.bench.run("2a 00 00000000 00 0001 00", { tag: 1, holdDataOut: true });
    expect(scene.manage("abortTask", 1)).toBe(TaskManagementResponse.functionComplete);
    task.deliver();
    expect([task.ends, task.forgotten, scene.bench.volume.submitted.length]).toEqual([1, 1, 0]);
  });

  it("says that a task is not there, or not of this nexus, or gone already", () => {
    const scene = new Scene();
    scene.start(scene.two, 5);
    expect(scene.manage("abortTask", 5)).toBe(TaskManagementResponse.taskDoesNotExist);
    scene.start(scene.one, 7);
    scene.manage("abortTask", 7);
    scene.bench.volume.release();
    expect(scene.manage("abortTask", 7)).toBe(TaskManagementResponse.taskDoesNotExist);
    expect(scene.manage("abortTask", 7, 3)).toBe(TaskManagementResponse.lunDoesNotExist);
    expect(scene.manage("abortTask", 7, -1)).toBe(TaskManagementResponse.lunDoesNotExist);
  });
});

describe("ABORT TASK SET and CLEAR TASK SET", () => {
  it("ABORT TASK SET ends the tasks of the nexus", () => {
    const scene = new Scene();
    const [mine, also, foreign] = [
      scene.start(scene.one, 1),
      scene.start(scene.one, 2),
      scene.start(scene.two, 1),
    ];
    scene.manage("abortTaskSet");
    expect([mine.aborted, also.aborted, foreign.aborted]).toEqual([true, true, false]);
    scene.bench.volume.release();
    expect(scene.responses).toEqual([]);
    scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
    scene.bench.volume.release();
    expect(foreign.responses).toBe(1);
  });

  it("CLEAR TASK SET ends all, and tells the others", () => {
    const scene = new Scene();
    const idle = scene.bench.open("iqn.2026-01.io.example:three,i,0x3");
    const [mine, foreign] = [scene.start(scene.one, 1), scene.start(scene.two, 1)];
    scene.manage("clearTaskSet");
    scene.bench.volume.release();
    scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
    expect([mine.forgotten, foreign.forgotten]).toEqual([1, 1]);
    expect(scene.attentions(scene.one)).toEqual([]);
    expect(scene.attentions(scene.two)).toEqual([Sense.commandsClearedByAnotherInitiator]);
    expect(scene.attentions(idle)).toEqual([]);
  });

  it("answer at once for an empty set", () => {
    const scene = new Scene();
    expect(scene.manage("abortTaskSet")).toBe(TaskManagementResponse.functionComplete);
    expect(scene.manage("clearTaskSet")).toBe(TaskManagementResponse.functionComplete);
  });
});

describe("resets", () => {
  it("LOGICAL UNIT RESET ends all tasks, starts the unit, and tells every nexus", () => {
    const scene = new Scene();
    const tasks = [scene.start(scene.one, 1), scene.start(scene.two, 1)];
    scene.bench.unit.stopped = true;
    scene.manage("logicalUnitReset");
    scene.bench.volume.release();
    expect(scene.responses).toEqual([]);
    scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
    expect(tasks.map((task) => task.forgotten)).toEqual([1, 1]);
    expect(scene.bench.unit.stopped).toBe(false);
    for (const nexus of [scene.one, scene.two]) {
      const first = scene.bench.run(TEST_UNIT_READY, { nexus });
      expect(first.senseCode).toBe(Sense.busDeviceResetFunctionOccurred);
      expect(scene.bench.run(TEST_UNIT_READY, { nexus }).status).toBe(0);
    }
  });

  it("LOGICAL UNIT RESET leaves other units alone, a target reset does not", () => {
    const scene = new Scene();
    const unit = new LogicalUnit({
      volume: new FakeVolume(4096),
      blockBytes: 512,
      nowMs: () => 0,
    });
    scene.bench.device.attach(1, unit);
    for (const nexus of [scene.one, scene.two]) {
      scene.attentions(nexus, unit);
      scene.attentions(nexus);
    }
    scene.manage("logicalUnitReset", 0, 0);
    expect(scene.attentions(scene.two, unit)).toEqual([]);
    scene.attentions(scene.two);
    const task = scene.start(scene.two, 9);
    scene.manage("targetWarmReset");
    expect(scene.responses.length).toBe(1);
    scene.bench.volume.release();
    expect([scene.responses.length, task.forgotten]).toEqual([2, 1]);
    for (const each of [unit, scene.bench.unit]) {
      expect(scene.attentions(scene.two, each)).toEqual([Sense.busDeviceResetFunctionOccurred]);
    }
    expect(scene.manage("targetColdReset")).toBe(TaskManagementResponse.functionComplete);
    expect(scene.attentions(scene.two, unit)).toEqual([Sense.powerOnOccurred]);
  });

  it("I_T NEXUS LOSS ends the tasks of the nexus and tells it", () => {
    const scene = new Scene();
    const [mine, foreign] = [scene.start(scene.one, 1), scene.start(scene.two, 1)];
    scene.manage("nexusLoss");
    scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
    expect([mine.forgotten, foreign.aborted]).toEqual([1, false]);
    expect(scene.attentions(scene.one)).toEqual([Sense.nexusLossOccurred]);
    expect(scene.attentions(scene.two)).toEqual([]);
  });
});

describe("the other functions", () => {
  it("answer as they should", () => {
    const scene = new Scene();
    scene.start(scene.one, 4);
    expect(scene.manage("queryTask", 4)).toBe(TaskManagementResponse.functionSucceeded);
    expect(scene.manage("queryTask", 5)).toBe(TaskManagementResponse.functionComplete);
    expect(scene.manage("queryTaskSet")).toBe(TaskManagementResponse.functionSucceeded);
    expect(scene.manage("clearAca")).toBe(TaskManagementResponse.functionRejected);
    expect(scene.manage("taskReassign")).toBe(TaskManagementResponse.taskReassignNotSupported);
    expect(scene.manage("queryAsynchronousEvent")).toBe(
      TaskManagementResponse.functionNotSupported,
    );
    const request = { nexus: scene.one, function: 99, lun: 0, tag: 0 };
    scene.bench.device.manage(request, (response) => scene.responses.push(response));
    expect(scene.responses.at(-1)).toBe(TaskManagementResponse.functionNotSupported);
    expect(scene.manage("logicalUnitReset", 0, 8)).toBe(TaskManagementResponse.lunDoesNotExist);
  });
});

describe("units that were taken away", () => {
  const WRITE = "2a 00 00000000 00 0001 00";

  /** Both nexuses have a write running on a unit that is not there any more. */
  function leave(): { scene: Scene; one: FakeTask; two: FakeTask } {
    const scene = new Scene();
    const { bench } = scene;
    bench.volume.cold = true;
    const dataOut = Buffer.alloc(512);
    const one = bench.run(WRITE, { dataOut, tag: 5, nexus: scene.one });
    const two = bench.run(WRITE, { dataOut, tag: 6, nexus: scene.two });
    bench.device.detach(0, () => undefined);
    return { scene, one, two };
  }

  it.each([
    ["abortTask", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["abortTaskSet", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["clearTaskSet", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["logicalUnitReset", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["targetWarmReset", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["targetColdReset", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["nexusLoss", "forgotten", "answered", TaskManagementResponse.functionComplete],
    ["queryTask", "answered", "answered", TaskManagementResponse.lunDoesNotExist],
  ] as const)("%s: a write of its nexus is %s, another one %s", (name, mine, theirs, response) => {
    const { scene, one, two } = leave();
    const waits = mine === "forgotten";
    expect(scene.manage(name, 5)).toBe(waits ? undefined : response);
    while (scene.bench.volume.held.length !== 0) scene.bench.volume.release();
    const fate = (task: FakeTask): string => (task.responses === 1 ? "answered" : "forgotten");
    expect([fate(one), fate(two), one.ends, two.ends]).toEqual([mine, theirs, 1, 1]);
    expect(scene.responses).toEqual([response]);
  });

  it("are waited for by every function, and by the end of the nexus, not by the first one only", () => {
    const { scene, one } = leave();
    for (const name of ["abortTask", "logicalUnitReset", "abortTask"] as const) {
      expect(scene.manage(name, 5)).toBeUndefined();
    }
    let isClosed = false;
    scene.bench.device.closeNexus(scene.one, () => (isClosed = true));
    expect([isClosed, scene.responses]).toEqual([false, []]);
    while (scene.bench.volume.held.length !== 0) scene.bench.volume.release();
    expect(isClosed).toBe(true);
    expect(scene.responses).toEqual(Array(3).fill(TaskManagementResponse.functionComplete));
    expect([one.ends, one.responses]).toEqual([1, 0]);
  });

  it("do not hide the unit that has their LUN now", () => {
    const { scene } = leave();
    const volume = new FakeVolume(8192);
    scene.bench.device.attach(0, new LogicalUnit({ volume, blockBytes: 512, nowMs: () => 0 }));
    scene.attentions(scene.one, scene.bench.device.units.get(0));
    volume.holding = true;
    const fresh = scene.bench.run(FLUSH, { tag: 9, nexus: scene.one });
    expect(scene.manage("logicalUnitReset")).toBeUndefined();
    expect(fresh.aborted).toBe(true);
    volume.release();
    expect(scene.responses).toEqual([]);
    while (scene.bench.volume.held.length !== 0) scene.bench.volume.release();
    expect(scene.responses).toEqual([TaskManagementResponse.functionComplete]);
  });

  it("are forgotten when nothing of theirs is running any more", () => {
    const { scene } = leave();
    while (scene.bench.volume.held.length !== 0) scene.bench.volume.release();
    expect(scene.manage("abortTask", 5)).toBe(TaskManagementResponse.lunDoesNotExist);
  });
});
