import { describe, expect, it } from "vitest";
import { ManualClock } from "../support/manual-clock.ts";
import { Jobs, type JobWork } from "../../src/control/jobs.ts";
import { cancelJob, listJobs, showJob } from "../../src/control/operations/jobs.ts";
import { type JobReport, OperationError } from "../../src/control/protocol.ts";

interface Bench {
  readonly jobs: Jobs;
  readonly changes: string[];
  /** How far which job was said to be. */
  readonly told: string[];
  readonly clock: ManualClock;
}

function bench(endedMax?: number): Bench {
  let ids = 0;
  const changes: string[] = [];
  const told: string[] = [];
  const clock = new ManualClock();
  const jobs = new Jobs({
    makeId: () => `job-${(ids += 1)}`,
    now: () => new Date("2026-11-23T06:00:00Z"),
    clock,
    onChange: ({ id, state, canStop }) =>
      void changes.push(`${id} ${state}${canStop ? ", can stop" : ""}`),
    onProgress: ({ id, progress }) => void told.push(`${id} ${progress?.done}`),
    ...(endedMax === undefined ? {} : { endedMax }),
  });
  return { jobs, changes, told, clock };
}

const REQUEST = { operation: "pool/check", by: "alice", whyNoStop: "it would be left half done" };

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function never(): Promise<void> {
  return new Promise(() => undefined);
}

describe("jobs", () => {
  it("run without anybody waiting, and tell what came of it", async () => {
    const { jobs, changes } = bench();
    let finish: (value: object) => void = () => undefined;
    const begun = jobs.start(REQUEST, ({ progress }) => {
      progress({ step: "counting", done: 1, total: 2 });
      return new Promise((resolve) => (finish = resolve));
    });
    expect(begun).toMatchObject({ id: "job-1", state: "running", by: "alice", reply: null });
    expect(jobs.show("job-1").progress).toEqual({ step: "counting", done: 1, total: 2 });
    finish({ isSound: true });
    await settled();
    expect(jobs.show("job-1")).toMatchObject({
      state: "done",
      reply: { isSound: true },
      problem: null,
      endedAt: "2026-11-23T06:00:00.000Z",
    });
    expect(changes).toEqual(["job-1 running", "job-1 done"]);
  });

  it("fail with a problem", async () => {
    const { jobs } = bench();
    jobs.start(REQUEST, () => Promise.reject(new OperationError("failed", "the pool failed")));
    await settled();
    expect(jobs.list()).toMatchObject([
      { state: "failed", problem: { kind: "failed", status: 500, detail: "the pool failed" } },
    ]);
  });

  it("are canceled where they can stop, and only there", async () => {
    const { jobs } = bench();
    const { id } = jobs.start({ ...REQUEST, whyNoStop: null }, ({ signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new OperationError("failed", "stopped")));
      });
    });
    expect(jobs.cancel(id).state).toBe("running");
    await settled();
    expect(jobs.show(id).state).toBe("canceled");
    expect(jobs.cancel(id).state).toBe("canceled");
    const other = jobs.start(REQUEST, never);
    expect(() => jobs.cancel(other.id)).toThrow(
      "pool/check cannot be stopped now: it would be left half done",
    );
  });

  it("can be canceled until they say that they have to go on, and why", async () => {
    const { jobs, changes } = bench();
    const outcomes: string[] = [];
    const begun = Array.from({ length: 2 }, () => {
      let goOn: () => void = () => undefined;
      const { id } = jobs.start({ ...REQUEST, whyNoStop: null }, async ({ settle }) => {
        await new Promise<void>((resolve) => (goOn = resolve));
        settle("something is being written");
        outcomes.push(id);
        await never();
      });
      return { id, goOn: () => goOn() };
    });
    const [first, second] = begun;
    jobs.cancel(first!.id);
    for (const { goOn } of begun) goOn();
    await settled();
    expect(outcomes).toEqual([second!.id]);
    expect(jobs.show(first!.id)).toMatchObject({
      state: "canceled",
      problem: { detail: "it was canceled, and nothing was changed" },
    });
    expect(jobs.show(second!.id)).toMatchObject({ state: "running", canStop: false });
    expect(() => jobs.cancel(second!.id)).toThrow(
      expect.objectContaining({ kind: "busy", message: expect.stringContaining("being written") }),
    );
    expect(changes).toEqual([
      "job-1 running, can stop",
      "job-2 running, can stop",
      "job-2 running",
      "job-1 canceled",
    ]);
  });

  it("that can are canceled at the end, and others go on", async () => {
    const { jobs } = bench();
    const stopping: JobWork = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    jobs.start({ ...REQUEST, whyNoStop: null }, stopping);
    jobs.start(REQUEST, stopping);
    jobs.cancelAll();
    await settled();
    expect(jobs.list().map(({ state }) => state)).toEqual(["canceled", "running"]);
  });

  it("tell how far they are once a second, and nothing when they have ended", async () => {
    const { jobs, told, clock } = bench();
    let say: (done: number) => void = () => undefined;
    let finish: () => void = () => undefined;
    jobs.start(REQUEST, ({ progress }) => {
      say = (done) => progress({ step: "counting", done, total: 100 });
      return new Promise<void>((resolve) => (finish = resolve));
    });
    for (let done = 0; done < 10; done += 1) say(done);
    expect(told).toEqual(["job-1 0"]);
    clock.advance(999);
    expect(told).toEqual(["job-1 0"]);
    clock.advance(1);
    expect(told).toEqual(["job-1 0", "job-1 9"]);
    clock.advance(5000);
    say(20);
    say(21);
    finish();
    await settled();
    clock.advance(5000);
    say(22);
    expect(told).toEqual(["job-1 0", "job-1 9", "job-1 20"]);
    expect(jobs.show("job-1")).toMatchObject({ state: "done", progress: { done: 21 } });
  });

  it("are bounded: those that run, and those that have ended", async () => {
    const { jobs } = bench(3);
    for (let count = 0; count < 5; count += 1) jobs.start(REQUEST, () => Promise.resolve(count));
    await settled();
    expect(jobs.list().map(({ id }) => id)).toEqual(["job-3", "job-4", "job-5"]);
    expect(() => jobs.show("job-1")).toThrow(/no job "job-1"/);
    for (let count = 0; count < 16; count += 1) jobs.start(REQUEST, never);
    expect(() => jobs.start(REQUEST, never)).toThrow(/16 jobs run already/);
  });
});

describe("operations on jobs", () => {
  it("list, show and cancel them", async () => {
    const { jobs } = bench();
    const { id } = jobs.start(REQUEST, never);
    const request = <Body>(body: Body) =>
      ({ context: { jobs }, body, payload: new Uint8Array(0), progress: () => undefined }) as never;
    expect(await listJobs(request({}))).toMatchObject([{ id }]);
    const shown: JobReport = await showJob(request({ id }));
    expect(shown.state).toBe("running");
    await expect(cancelJob(request({ id }))).rejects.toMatchObject({ kind: "busy" });
    await expect(showJob(request({ id: "x" }))).rejects.toMatchObject({ kind: "missing" });
  });

  it("know of none without a daemon", async () => {
    const request = { context: {}, body: { id: "x" } } as never;
    expect(await listJobs(request)).toEqual([]);
    await expect(showJob(request)).rejects.toMatchObject({ kind: "missing" });
  });
});
