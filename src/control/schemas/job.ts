import { type Problem, PROBLEM } from "./problem.ts";
import {
  anyText,
  choice,
  flag,
  list,
  NOTHING,
  type Nothing,
  number,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

const STATES = ["running", "done", "failed", "canceled"] as const;

/** How far a long operation is. */
export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

/** An operation that nobody waits for. */
export interface JobReport {
  readonly id: string;
  readonly operation: string;
  /** Who asked for it. */
  readonly by: string;
  readonly state: (typeof STATES)[number];
  /** It can be canceled now. */
  readonly canStop: boolean;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null: it has not ended. */
  readonly endedAt: string | null;
  readonly progress: Progress | null;
  /** What the operation answered; null: it has not, or failed. */
  readonly reply: unknown;
  /** Why it failed, or null. */
  readonly problem: Problem | null;
}

const PROGRESS: Schema<Progress> = record<Progress>(
  {
    step: anyText("what is being done"),
    done: number("how much of it is done"),
    total: number("how much there is"),
  },
  "Progress",
);

export const JOB_REPORT: Schema<JobReport> = record<JobReport>(
  {
    id: anyText("what it is asked for by"),
    operation: anyText("its name"),
    by: anyText("who asked for it"),
    state: choice("where it is", STATES),
    canStop: flag("it can be canceled now; some cannot, or not to their end"),
    startedAt: anyText("ISO 8601"),
    endedAt: orNull(anyText("ISO 8601; null: it has not ended")),
    progress: orNull(PROGRESS),
    reply: { description: "what the operation answered; null: it has not, or failed" },
    problem: orNull(PROBLEM),
  },
  "JobReport",
);

/** What readers of events are told of a job; what came of it is asked for. */
export type JobEvent = Pick<
  JobReport,
  "id" | "operation" | "by" | "state" | "canStop" | "progress"
>;

export const JOB_EVENT: Schema<JobEvent> = record<JobEvent>(
  {
    id: anyText("what it is asked for by"),
    operation: anyText("its name"),
    by: anyText("who asked for it"),
    state: choice("where it is", STATES),
    canStop: flag("it can be canceled now"),
    progress: orNull(PROGRESS),
  },
  "JobEvent",
);

interface JobArguments {
  readonly id: string;
}

export interface JobProtocol {
  "job/list": { readonly arguments: Nothing; readonly reply: readonly JobReport[] };
  "job/show": { readonly arguments: JobArguments; readonly reply: JobReport };
  "job/cancel": { readonly arguments: JobArguments; readonly reply: JobReport };
}

const JOB_ARGUMENTS: Schema<JobArguments> = record<JobArguments>({ id: text("a job", 64) });

export const JOB_SCHEMAS: SchemasOf<JobProtocol> = {
  "job/list": {
    arguments: NOTHING,
    reply: list("jobs that run, and some that have ended", JOB_REPORT),
  },
  "job/show": { arguments: JOB_ARGUMENTS, reply: JOB_REPORT },
  "job/cancel": { arguments: JOB_ARGUMENTS, reply: JOB_REPORT },
};
