import { IoError } from "../../util/io-error.ts";
import type { JournalRecord } from "../format/records.ts";
import { type Gate, type GateOptions, closeAll } from "../io/gate.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { appendRecords, syncBarrier } from "../log/promises.ts";
import { PoolError } from "../pool-error.ts";
import type { PoolParts } from "./pool-parts.ts";

/** Appends records in one block, and makes them durable. Errors: failed. */
export async function commit(parts: PoolParts, records: readonly JournalRecord[]): Promise<void> {
  try {
    await appendRecords(parts.journal, records);
    await syncBarrier(parts.barrier);
  } catch (error) {
    throw asPoolError(error);
  }
}

/** Closes the gates of the volumes in one step, waits for what had passed, does the work and opens them (rule N). */
export async function atInstant(
  volumes: readonly ThinVolume[],
  options: GateOptions,
  work: () => Promise<void>,
): Promise<void> {
  const gates: Gate[] = [...new Set(volumes)].map(({ gate }) => gate);
  await closeAll(gates, options);
  try {
    await work();
  } finally {
    for (const gate of gates) gate.open();
  }
}

/** What an operation of the pool rejects with when I/O under it failed. */
export function asPoolError(error: unknown): unknown {
  if (!(error instanceof IoError)) return error;
  switch (error.kind) {
    case "failed":
      return new PoolError("failed", error.message, error);
    case "space":
    case "space-pending":
      return new PoolError("space", error.message, error);
    case "gone":
      return new PoolError("missing", error.message, error);
    case "medium":
    case "read-only":
    case "range":
    case "unsupported":
    case "miscompare":
      return new PoolError("io", error.message, error);
  }
}
