import { operationErrorOf } from "./operations/operation-error.ts";
import { problemOf } from "./http/problem.ts";
import { type JobReport, OperationError, type Progress } from "./protocol.ts";

/** Long operations read whole pools: more at a time only hinder each other. */
const RUNNING_MAX = 16;

/** Jobs that have ended and can still be asked for. */
const ENDED_MAX = 100;

export interface JobsOptions {
  readonly makeId: () => string;
  readonly now: () => Date;
  /** Called when one begins or ends. */
  readonly onChange: (job: JobReport) => void;
  /** Tests have less patience. */
  readonly endedMax?: number;
}

export interface JobRequest {
  readonly operation: string;
  readonly by: string;
  /** It heeds the signal. */
  readonly canStop: boolean;
}

/** Does the work of a job. */
export type JobWork = (
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
) => Promise<unknown>;

interface Job {
  report: JobReport;
  readonly abort: AbortController;
}

/** Operations that nobody waits for. They are kept in memory: none is left after a restart, and what ran then ran to its end or not at all. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #jobs = new Map<string, Job>();

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** The oldest first. */
  list(): readonly JobReport[] {
    return [...this.#jobs.values()].map(({ report }) => report);
  }

  /** Errors: missing. */
  show(id: string): JobReport {
    return this.#find(id).report;
  }

  /** Asks one to stop; it is canceled when it has. Errors: missing, unsupported: it would be left half done. */
  cancel(id: string): JobReport {
    const job = this.#find(id);
    const { state, canStop, operation } = job.report;
    if (state !== "running") return job.report;
    if (!canStop) {
      throw new OperationError("unsupported", `${operation} cannot be stopped once it has begun`);
    }
    job.abort.abort();
    return job.report;
  }

  /** Begins one; never waits for it. Errors: busy: too many run. */
  start({ operation, by, canStop }: JobRequest, work: JobWork): JobReport {
    const running = this.list().filter(({ state }) => state === "running").length;
    if (running >= RUNNING_MAX) {
      throw new OperationError("busy", `${running} jobs run already: wait until one has ended`);
    }
    const report: JobReport = {
      id: this.#options.makeId(),
      operation,
      by,
      state: "running",
      canStop,
      startedAt: this.#options.now().toISOString(),
      endedAt: null,
      progress: null,
      reply: null,
      problem: null,
    };
    const job: Job = { report, abort: new AbortController() };
    this.#jobs.set(report.id, job);
    this.#options.onChange(report);
    void this.#run(job, work);
    return report;
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    throw new OperationError("missing", `there is no job ${JSON.stringify(id)}: it may be too old`);
  }

  async #run(job: Job, work: JobWork): Promise<void> {
    const { signal } = job.abort;
    const onProgress = (progress: Progress): void => {
      job.report = { ...job.report, progress };
    };
    try {
      const reply = await work(signal, onProgress);
      this.#end(job, { state: "done", reply });
    } catch (error) {
      const problem = problemOf(operationErrorOf(error));
      this.#end(job, { state: signal.aborted ? "canceled" : "failed", problem });
    }
  }

  #end(job: Job, outcome: Partial<JobReport>): void {
    job.report = { ...job.report, ...outcome, endedAt: this.#options.now().toISOString() };
    this.#options.onChange(job.report);
    const ended = this.list().filter(({ state }) => state !== "running");
    const surplus = ended.length - (this.#options.endedMax ?? ENDED_MAX);
    for (const { id } of ended.slice(0, Math.max(0, surplus))) this.#jobs.delete(id);
  }
}
