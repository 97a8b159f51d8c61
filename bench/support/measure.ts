import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load } from "../../src/initiator/load-generator.ts";
import type { LoadReport, LoadRequest } from "./load-child.ts";

const execute = promisify(execFile);

export interface Sample extends LoadReport {
  /** Of the target's process while the load was on, in seconds for each second. */
  readonly cpuShare: number;
  /** Of the target's process, in microseconds: says more than the rate where others use the machine as well. */
  readonly cpuUsPerCommand: number;
}

/** What a load can be put on. */
export interface Measurable {
  readonly port: number;
  readonly targetName: string;
  /** CPU time that its process has used so far, in seconds. */
  cpuSeconds(): number;
}

export interface MeasureOptions {
  readonly seconds: number;
  readonly warmUpMs?: number;
  /** Goes before the load, where that would use up what it is to measure: on the same connection, by the same process. */
  readonly warmUp?: Load;
  /**
   * The load does not sleep between commands. At depth 1 a target that takes some microseconds longer sends a load that does into a halt of its
   * virtual CPU, of which the end takes longer than the command: what is compared then is the scheduler.
   */
  readonly polls?: boolean;
  readonly protocol?: "iscsi" | "nbd" | "tcp";
  readonly sessions?: number;
  readonly digests?: boolean;
  /** The CPU that the load keeps to; any where left out. */
  readonly cpu?: number;
  /** Ends the load, which rejects then. */
  readonly signal?: AbortSignal;
}

const WARM_UP_MS = 300;
/** What a child may take beyond its load: it is compiled, logs in and waits for what is in flight. */
const CHILD_TIMEOUT_MS = 120_000;

/** Puts a load on a target, from a process of its own. */
export async function measure(
  target: Measurable,
  load: Load,
  options: MeasureOptions,
): Promise<Sample> {
  const { seconds, warmUpMs = WARM_UP_MS, polls = false, cpu, signal, ...rest } = options;
  const { port, targetName } = target;
  const measureMs = seconds * 1000;
  const request: LoadRequest = { ...rest, port, targetName, load, warmUpMs, measureMs, polls };
  const child = join(import.meta.dirname, "load-child.ts");
  const command = [process.execPath, "--import", "tsx", child, JSON.stringify(request)];
  const [program = "", ...args] = cpu === undefined ? command : onCpu(cpu, command);
  let before = target.cpuSeconds();
  let startedMs = performance.now();
  const running = execute(program, args, {
    timeout: measureMs + CHILD_TIMEOUT_MS,
    killSignal: "SIGKILL",
    ...(signal === undefined ? {} : { signal }),
  });
  // What the target does by itself until the load begins is none of its commands'.
  running.child.stdout?.once("data", () => {
    before = target.cpuSeconds();
    startedMs = performance.now();
  });
  const { stdout } = await running;
  const cpuSeconds = target.cpuSeconds() - before;
  const cpuShare = cpuSeconds / ((performance.now() - startedMs) / 1000);
  const report = JSON.parse(stdout.slice(stdout.indexOf("\n"))) as LoadReport;
  return { ...report, cpuShare, cpuUsPerCommand: (cpuSeconds * 1e6) / report.commandsInAll };
}

/** A command that runs on one CPU only. */
export function onCpu(cpu: number, command: readonly string[]): string[] {
  return ["taskset", "-c", String(cpu), ...command];
}
