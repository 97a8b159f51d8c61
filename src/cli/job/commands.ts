import type { CommandModule } from "yargs";
import type { JobReport } from "../../control/protocol.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import type { Operations } from "../control-client.ts";
import { UsageError } from "../exit-code.ts";
import { CUT, formatTable } from "../table.ts";

interface JobArguments extends DaemonOptions {
  readonly id: string;
}

const ID = {
  type: "string",
  demandOption: true,
  describe: "As job list has it; its beginning will do",
} as const;

/** Fewer characters of a beginning are no wish to meet just this job. */
const BEGINNING_MIN = 4;

/**
 * The job that is meant by the beginning of its ID, also as a table has it that had no room for more. What is the beginning of none is left for
 * the daemon to refuse.
 *
 * @throws {UsageError} it is the beginning of several
 */
export async function jobIdOf(daemon: Pick<Operations, "call">, typed: string): Promise<string> {
  const beginning = typed.endsWith(CUT) ? typed.slice(0, -CUT.length) : typed;
  if (beginning.length < BEGINNING_MIN) return typed;
  const jobs = await daemon.call("job/list", {});
  const ids = jobs.map(({ id }) => id).filter((id) => id.startsWith(beginning));
  if (ids.length > 1 && !ids.includes(typed)) {
    throw new UsageError(`"${typed}" is the beginning of several jobs: ${ids.join(", ")}`);
  }
  return ids.includes(typed) ? typed : (ids[0] ?? typed);
}

function percentOf({ progress }: JobReport): string {
  if (progress === null || progress.total === 0) return "";
  return `${progress.step} ${Math.floor((progress.done * 100) / progress.total)} %`;
}

function shortTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

/** Jobs, a line each. */
export function jobTable(jobs: readonly JobReport[]): string {
  if (jobs.length === 0) return "There are none.\n";
  return formatTable(
    [
      { heading: "ID" },
      { heading: "OPERATION" },
      { heading: "STATE" },
      { heading: "PROGRESS" },
      { heading: "SINCE" },
      { heading: "BY" },
    ],
    jobs.map((job) => [
      job.id,
      job.operation,
      job.state,
      job.state === "running" ? percentOf(job) : "",
      shortTime(job.startedAt),
      job.by,
    ]),
  );
}

/** Everything of one job. */
export function jobText(job: JobReport): string {
  const { id, operation, state, by, startedAt, endedAt, problem } = job;
  const rows: (readonly [string, string])[] = [
    ["operation", operation],
    ["state", state],
    ["by", by],
    ["began", shortTime(startedAt)],
  ];
  if (endedAt !== null) rows.push(["ended", shortTime(endedAt)]);
  if (state === "running") {
    rows.push(["progress", percentOf(job)], ["can stop", job.canStop ? "yes" : "no"]);
  }
  if (problem !== null) rows.push(["problem", problem.detail]);
  const facts = rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}\n`).join("");
  return `job ${id}\n${facts}`;
}

/** `thinlun job list`. */
export const listCommand: CommandModule<object, DaemonOptions> = {
  command: "list",
  describe: "List what the daemon does for long, and what has ended of that",
  builder: (yargs) => yargs.options(DAEMON_OPTIONS).example("$0 job list", ""),
  handler: async (args) => {
    const jobs = await withDaemon(args, (daemon) => daemon.call("job/list", {}));
    print(jobs, args.json, () => jobTable(jobs));
  },
};

/** `thinlun job show`. */
export const showCommand: CommandModule<object, JobArguments> = {
  command: "show <id>",
  describe: "Show a job: how far it is, or what came of it",
  builder: (yargs) =>
    yargs
      .positional("id", ID)
      .options(DAEMON_OPTIONS)
      .example("$0 job show 0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11 --json", "With its reply"),
  handler: async (args) => {
    const { id: typed, json } = args;
    const job = await withDaemon(args, async (daemon) =>
      daemon.call("job/show", { id: await jobIdOf(daemon, typed) }),
    );
    print(job, json, () => jobText(job));
  },
};

/** `thinlun job cancel`. */
export const cancelCommand: CommandModule<object, JobArguments> = {
  command: "cancel <id>",
  describe: "Have a job stop; nothing of it is left then",
  builder: (yargs) =>
    yargs
      .positional("id", ID)
      .options(DAEMON_OPTIONS)
      .example("$0 job cancel 0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11", "")
      .epilogue("What has to go on to its end is refused, with the reason."),
  handler: async (args) => {
    const { id: typed, json } = args;
    const job = await withDaemon(args, async (daemon) =>
      daemon.call("job/cancel", { id: await jobIdOf(daemon, typed) }),
    );
    const { id, operation, state } = job;
    print(job, json, () =>
      state === "running"
        ? `Job ${id} (${operation}) is asked to stop.\n`
        : `Job ${id} (${operation}) has ended: ${state}.\n`,
    );
  },
};
