import { readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { processStartTicks } from "./lock-file.ts";

/** The unit of the times in /proc/PID/stat, which is the same on all architectures that Node.js runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

export interface RunningProcess {
  /** Since 1970, by the system's clock as it is set now. */
  readonly startedAtSeconds: number;
  /** Name of the file that it executes; null: it is not for us to know. */
  readonly program: string | null;
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}

async function programOf(pid: number): Promise<string | null> {
  try {
    return basename((await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, ""));
  } catch {
    return null;
  }
}

/** A process of this system that runs; null where there is none, where it has ended already, and for threads of the kernel. */
export async function readProcess(pid: number): Promise<RunningProcess | null> {
  const ticks = await processStartTicks(pid);
  const bootedAt = /^btime (\d+)$/m.exec(await text("/proc/stat"))?.[1];
  // Neither what has ended and is not yet waited for nor the kernel's own has a command line.
  if (ticks === null || bootedAt === undefined || (await text(`/proc/${pid}/cmdline`)) === "") {
    return null;
  }
  const startedAtSeconds = Number(bootedAt) + Number(ticks) / TICKS_PER_SECOND;
  return { startedAtSeconds, program: await programOf(pid) };
}
