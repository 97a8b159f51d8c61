import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { promisify } from "node:util";
import type { Placement } from "../result.ts";

const execute = promisify(execFile);

export const LOAD_CPU = 0;

/** "0,4-5" as numbers. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The first CPU that is not a thread of the load's core, where there is one. */
export function targetCpu(siblingsOfLoad: readonly number[], count: number): number {
  for (let cpu = 0; cpu < count; cpu += 1) {
    if (cpu !== LOAD_CPU && !siblingsOfLoad.includes(cpu)) return cpu;
  }
  return Math.min(1, count - 1);
}

function siblings(): number[] {
  const file = `/sys/devices/system/cpu/cpu${LOAD_CPU}/topology/thread_siblings_list`;
  try {
    return parseCpuList(readFileSync(file, "utf8"));
  } catch {
    return [LOAD_CPU];
  }
}

/** Puts all threads of a process where the placement has them. */
export async function place(pid: number, placement: Placement): Promise<void> {
  const count = cpus().length;
  const list = placement === "free" ? `0-${count - 1}` : String(targetCpu(siblings(), count));
  await execute("taskset", ["--all-tasks", "--cpu-list", "--pid", list, String(pid)]);
}
