import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load } from "../../src/initiator/load-generator.ts";
import type { LoadReport, LoadRequest } from "./load-child.ts";
import type { MeasuredTarget } from "./targets.ts";

const execute = promisify(execFile);

export interface Sample extends LoadReport {
  /** Of the target's process, in seconds for each second. */
  readonly cpuShare: number;
  /** Of the target's process, in microseconds: says more than the rate where others use the machine as well. */
  readonly cpuUsPerCommand: number;
}

export interface MeasureOptions {
  readonly seconds: number;
  readonly warmUpMs?: number;
}

const WARM_UP_MS = 300;

/** Puts a load on a target, from a process of its own. */
export async function measure(
  target: MeasuredTarget,
  load: Load,
  { seconds, warmUpMs = WARM_UP_MS }: MeasureOptions,
): Promise<Sample> {
  const request: LoadRequest = {
    port: target.port,
    targetName: target.targetName,
    load,
    warmUpMs,
    measureMs: seconds * 1000,
  };
  const child = join(import.meta.dirname, "load-child.ts");
  const before = target.cpuSeconds();
  const startedMs = performance.now();
  const args = ["--import", "tsx", child, JSON.stringify(request)];
  const { stdout } = await execute(process.execPath, args, { timeout: 120_000 });
  const cpuSeconds = target.cpuSeconds() - before;
  const cpuShare = cpuSeconds / ((performance.now() - startedMs) / 1000);
  const report = JSON.parse(stdout) as LoadReport;
  return { ...report, cpuShare, cpuUsPerCommand: (cpuSeconds * 1e6) / report.commandsInAll };
}
