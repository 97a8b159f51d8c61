import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { MeasureRequest, PeerSample } from "../peers/peer.ts";
import { onCpu } from "../support/measure.ts";
import { LOAD_CPU } from "../support/placement.ts";
import { endedChildrenCpuSeconds } from "../support/process.ts";
import type { Generator, ProgramRun } from "./generator.ts";

const execute = promisify(execFile);

/** What a program may take beyond its load, and how many times as long that may take. */
const PROGRAM_TIMEOUT_MS = 30_000;
const SLOWER_THAN_THOUGHT = 4;
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** An iSCSI target that runs. */
export interface Drivable {
  /** Of the LUN: "iscsi://HOST:PORT/TARGET/LUN" */
  readonly url: string;
  /** CPU time that its process has used so far, in seconds. */
  cpuSeconds(): number;
}

/** Puts a load of a second generator on a target. Rejects with what its program says, and ends that where the request is aborted. */
export async function driveWith(
  generator: Generator,
  target: Drivable,
  request: MeasureRequest,
): Promise<PeerSample> {
  const { load, diskBytes, seconds, placement, signal } = request;
  const run = async (command: readonly string[], runSeconds: number): Promise<ProgramRun> => {
    const placed = placement === "pinned" ? onCpu(LOAD_CPU, command) : command;
    const [program = "", ...args] = placed;
    const targetBefore = target.cpuSeconds();
    const generatorBefore = endedChildrenCpuSeconds();
    const startedMs = performance.now();
    signal.throwIfAborted();
    const running = execute(program, args, {
      timeout: runSeconds * 1000 * SLOWER_THAN_THOUGHT + PROGRAM_TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...process.env, LC_ALL: "C" },
    });
    // The option of that name asks only, and does not wait for the end.
    const kill = (): void => void running.child.kill("SIGKILL");
    signal.addEventListener("abort", kill);
    const { stdout } = await running.finally(() => signal.removeEventListener("abort", kill));
    return {
      stdout,
      elapsedSeconds: (performance.now() - startedMs) / 1000,
      targetCpuSeconds: target.cpuSeconds() - targetBefore,
      generatorCpuSeconds: endedChildrenCpuSeconds() - generatorBefore,
    };
  };
  const driven = await generator.drive({ url: target.url, load, diskBytes, seconds }, run);
  const { operations, operationsPerSecond, latency, run: counted } = driven;
  if (operations <= 0) throw new Error(`${generator.name} says that nothing was done`);
  return {
    operations,
    operationsPerSecond,
    bytesPerSecond: operationsPerSecond * load.operationBytes,
    latency,
    cpuUsPerOperation: (counted.targetCpuSeconds * 1e6) / operations,
    cpuShare: counted.targetCpuSeconds / counted.elapsedSeconds,
    generatorCpuShare: counted.generatorCpuSeconds / counted.elapsedSeconds,
    residentBytes: null,
  };
}
