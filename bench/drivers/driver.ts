import type { LatencyCounts } from "../../src/initiator/latency-counts.ts";

/** What was counted since the last `reset`. */
export interface DriverCounts {
  readonly commands: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly latencies: LatencyCounts;
}

/** One connection that is kept busy, over whatever protocol. */
export interface Driver {
  start(): void;
  /** Begins counting anew. */
  reset(): void;
  readonly counts: DriverCounts;
  /** Resolves when all that was to be done once has been done; never for loads that go on for ever. */
  readonly exhausted: Promise<void>;
  /** Sends nothing more; resolves when all that is in flight has been answered. */
  stop(): Promise<void>;
  close(): void;
}

/** Of connections that ran side by side. */
export function sumOf(parts: readonly DriverCounts[]): DriverCounts {
  const [first, ...rest] = parts;
  if (first === undefined) throw new Error("a load has a session");
  const latencies = first.latencies.copy();
  for (const part of rest) latencies.add(part.latencies);
  return {
    commands: latencies.count,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    elapsedMs: Math.max(...parts.map(({ elapsedMs }) => elapsedMs)),
    latencies,
  };
}
