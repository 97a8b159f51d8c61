import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load } from "../../src/initiator/load-generator.ts";
import type { LoadReport, LoadRequest } from "./load-child.ts";
import type { MeasuredTarget } from "./targets.ts";

const execute = promisify(execFile);

export interface Sample extends LoadReport {
  /** Of the target's process while the load was on, in seconds for each second. */
  readonly cpuShare: number;
  /** Of the target's process, in microseconds: says more than the rate where others use the machine as well. */
  readonly cpuUsPerCommand: number;
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
}

const WARM_UP_MS = 300;

/** Puts a load on a target, from a process of its own. */
export async function measure(
  target: MeasuredTarget,
  load: Load,
  { seconds, warmUp, warmUpMs = WARM_UP_MS, polls = false }: MeasureOptions,
): Promise<Sample> {
  const request: LoadRequest = {
    port: target.port,
    targetName: target.targetName,
    load,
    ...(warmUp === undefined ? {} : { warmUp }),
    warmUpMs,
    measureMs: seconds * 1000,
    polls,
  };
  const child = join(import.meta.dirname, "load-child.ts");
  let before = target.cpuSeconds();
  let startedMs = performance.now();
  const args = ["--import", "tsx", child, JSON.stringify(request)];
  const running = execute(process.execPath, args, { timeout: 120_000 });
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
