import type { Clock, Timer } from "../util/clock.ts";
import { operationErrorOf } from "./operations/operation-error.ts";
import { problemOf } from "./http/problem.ts";
import { type JobReport, OperationError, type Progress } from "./protocol.ts";

/** Long operations read whole pools: more at a time only hinder each other. */
const RUNNING_MAX = 16;

/** Jobs that have ended and can still be asked for. */
const ENDED_MAX = 100;

/** How often is told how far a job is: nobody reads faster, and some work counts in thousands a second. */
const TELL_INTERVAL_MS = 1000;

export interface JobsOptions {
  readonly makeId: () => string;
  readonly now: () => Date;
  readonly clock: Clock;
  /** Called when one begins, ends, or cannot be canceled any more. */
  readonly onChange: (job: JobReport) => void;
  /** Called with how far one is, not more often than once a second. */
  readonly onProgress: (job: JobReport) => void;
  /** Tests have less patience. */
  readonly endedMax?: number;
}

export interface JobRequest {
  readonly operation: string;
  readonly by: string;
  /** Why it cannot stop half-way, a clause; null: it can, it heeds the signal. */
  readonly whyNoStop: string | null;
}

/** What the work of a job is given. */
export interface JobControl {
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** From here on it cannot be canceled, and why. Throws where it was canceled before. */
  readonly settle: (why: string) => void;
}

/** Does the work of a job. */
export type JobWork = (control: JobControl) => Promise<unknown>;

interface Job {
  report: JobReport;
  whyNoStop: string | null;
  readonly abort: AbortController;
  toldAtMs: number;
  timer: Timer | null;
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

  /** Asks one to stop; it is canceled when it has. Errors: missing, busy: it has to go on to its end. */
  cancel(id: string): JobReport {
    const job = this.#find(id);
    const { state, operation } = job.report;
    if (state !== "running") return job.report;
    if (job.whyNoStop !== null) {
      throw new OperationError("busy", `${operation} cannot be stopped now: ${job.whyNoStop}`);
    }
    job.abort.abort(new OperationError("failed", "it was canceled, and nothing was changed"));
    return job.report;
  }

  /** Asks all that can to stop: nobody will ask what came of them. */
  cancelAll(): void {
    const reason = new OperationError("busy", "the daemon is stopping; nothing was changed");
    for (const { report, whyNoStop, abort } of this.#jobs.values()) {
      if (report.state === "running" && whyNoStop === null) abort.abort(reason);
    }
  }

  /** Begins one; never waits for it. Errors: busy: too many run. */
  start({ operation, by, whyNoStop }: JobRequest, work: JobWork): JobReport {
    const running = this.list().filter(({ state }) => state === "running").length;
    if (running >= RUNNING_MAX) {
      throw new OperationError("busy", `${running} jobs run already: wait until one has ended`);
    }
    const report: JobReport = {
      id: this.#options.makeId(),
      operation,
      by,
      state: "running",
      canStop: whyNoStop === null,
      startedAt: this.#options.now().toISOString(),
      endedAt: null,
      progress: null,
      reply: null,
      problem: null,
    };
    const abort = new AbortController();
    const job: Job = { report, whyNoStop, abort, toldAtMs: -Infinity, timer: null };
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
    const progress = (now: Progress): void => {
      if (job.report.state !== "running") return;
      job.report = { ...job.report, progress: now };
      this.#tell(job);
    };
    const settle = (why: string): void => {
      signal.throwIfAborted();
      job.whyNoStop = why;
      if (!job.report.canStop) return;
      job.report = { ...job.report, canStop: false };
      this.#options.onChange(job.report);
    };
    try {
      const reply = await work({ signal, progress, settle });
      this.#end(job, { state: "done", reply });
    } catch (error) {
      const problem = problemOf(operationErrorOf(error));
      this.#end(job, { state: signal.aborted ? "canceled" : "failed", problem });
    }
  }

  /** At once where the last time is long ago, and otherwise later, with what there is by then. */
  #tell(job: Job): void {
    const { clock, onProgress } = this.#options;
    if (job.timer !== null) return;
    const tell = (): void => {
      job.timer = null;
      job.toldAtMs = clock.nowMs();
      onProgress(job.report);
    };
    const waitMs = job.toldAtMs + TELL_INTERVAL_MS - clock.nowMs();
    if (waitMs <= 0) tell();
    else job.timer = clock.after(waitMs, tell);
  }

  #end(job: Job, outcome: Partial<JobReport>): void {
    job.timer?.cancel();
    const endedAt = this.#options.now().toISOString();
    job.report = { ...job.report, ...outcome, canStop: false, endedAt };
    this.#options.onChange(job.report);
    const ended = this.list().filter(({ state }) => state !== "running");
    const surplus = ended.length - (this.#options.endedMax ?? ENDED_MAX);
    for (const { id } of ended.slice(0, Math.max(0, surplus))) this.#jobs.delete(id);
  }
}
