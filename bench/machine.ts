import { arch, cpus, release, totalmem, type } from "node:os";
import type { Machine } from "./result.ts";

/** The kernel keeps another amount for itself at each boot. */
const MEMORY_TOLERANCE = 0.02;

export function thisMachine(): Machine {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cpuCount: cpus().length,
    kernel: `${type()} ${release()}`,
    architecture: arch(),
    node: process.version,
    memoryBytes: totalmem(),
  };
}

/**
 * Why results of the two cannot be compared, in words; empty where they can. Another Node is no other machine: how much faster it is may be
 * what is asked.
 */
export function differencesOf(one: Machine, other: Machine): string[] {
  const differences: string[] = [];
  for (const key of ["cpuModel", "cpuCount", "architecture", "kernel"] as const) {
    if (one[key] !== other[key]) differences.push(`${key}: ${one[key]}, and ${other[key]} there`);
  }
  const apart = Math.abs(one.memoryBytes - other.memoryBytes);
  if (apart > MEMORY_TOLERANCE * Math.max(one.memoryBytes, other.memoryBytes)) {
    differences.push(`memory: ${one.memoryBytes} bytes, and ${other.memoryBytes} there`);
  }
  return differences;
}

/** For headings. */
export function machineText({ cpuModel, cpuCount, kernel, node, memoryBytes }: Machine): string {
  const gib = (memoryBytes / 2 ** 30).toFixed(1);
  return `${cpuModel}, ${cpuCount} CPUs, ${gib} GiB, ${kernel}, Node ${node}`;
}
