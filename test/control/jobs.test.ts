import { describe, expect, it } from "vitest";
import { Jobs } from "../../src/control/jobs.ts";
import { cancelJob, listJobs, showJob } from "../../src/control/operations/jobs.ts";
import { type JobReport, OperationError } from "../../src/control/protocol.ts";

interface Bench {
  readonly jobs: Jobs;
  readonly changes: string[];
}

function bench(endedMax?: number): Bench {
  let ids = 0;
  const changes: string[] = [];
  const jobs = new Jobs({
    makeId: () => `job-${(ids += 1)}`,
    now: () => new Date("2026-11-23T06:00:00Z"),
    onChange: ({ id, state }) => void changes.push(`${id} ${state}`),
    ...(endedMax === undefined ? {} : { endedMax }),
  });
  return { jobs, changes };
}

const REQUEST = { operation: "pool/check", by: "alice", canStop: false };

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
    const begun = jobs.start(REQUEST, (_signal, onProgress) => {
      onProgress({ step: "counting", done: 1, total: 2 });
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
    const { id } = jobs.start({ ...REQUEST, canStop: true }, (signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new OperationError("failed", "stopped")));
      });
    });
    expect(jobs.cancel(id).state).toBe("running");
    await settled();
    expect(jobs.show(id).state).toBe("canceled");
    expect(jobs.cancel(id).state).toBe("canceled");
    const other = jobs.start(REQUEST, never);
    expect(() => jobs.cancel(other.id)).toThrow("pool/check cannot be stopped");
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
    await expect(cancelJob(request({ id }))).rejects.toMatchObject({ kind: "unsupported" });
    await expect(showJob(request({ id: "x" }))).rejects.toMatchObject({ kind: "missing" });
  });

  it("know of none without a daemon", async () => {
    const request = { context: {}, body: { id: "x" } } as never;
    expect(await listJobs(request)).toEqual([]);
    await expect(showJob(request)).rejects.toMatchObject({ kind: "missing" });
  });
});
