import { IoError } from "../../util/io-error.ts";
import type { JournalRecord } from "../format/records.ts";
import { type Gate, type GateOptions, closeAll } from "../io/gate.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import type { Journal } from "../log/journal.ts";
import { appendRecords, syncBarrier } from "../log/promises.ts";
import { PoolError } from "../pool-error.ts";
import type { PoolParts } from "./pool-parts.ts";

/** Appends records in one block, and makes them durable. Errors: failed. */
export async function commit(parts: PoolParts, records: readonly JournalRecord[]): Promise<void> {
  await append(parts, records);
  await makeDurable(parts);
}

/** Resolves with the number of their block when they have taken effect. Errors: failed. */
async function append(parts: PoolParts, records: readonly JournalRecord[]): Promise<number> {
  try {
    return await hurrying(parts, () => appendRecords(parts.journal, records));
  } catch (error) {
    throw asPoolError(error);
  }
}

interface Hurrying {
  readonly journal: Pick<Journal, "hurry">;
}

/** What the work waits for in the journal need not wait for a checkpoint. */
async function hurrying<Result>(
  { journal }: Hurrying,
  work: () => Promise<Result>,
): Promise<Result> {
  const calm = journal.hurry();
  try {
    return await work();
  } finally {
    calm();
  }
}

async function makeDurable(parts: PoolParts): Promise<void> {
  try {
    await syncBarrier(parts.barrier);
  } catch (error) {
    throw asPoolError(error);
  }
}

/** What is appended at an instant. */
export interface InstantChange {
  readonly records: readonly JournalRecord[];
  /** Called when nothing changes the volumes any more. What it throws ends the operation before anything is changed. */
  readonly check: () => void;
  /** Called when the records have taken effect, with the number of their block, before anything else is let in. */
  readonly applied?: (seq: number) => void;
}

/**
 * Makes a change of volumes that are in use, at an instant and durable. Their gates open before it is durable: what comes in then
 * finds the maps changed, and no barrier covers it that does not cover the change (rule N). Errors: failed; what `check` throws.
 */
export async function commitAtInstant(
  parts: PoolParts,
  volumes: readonly ThinVolume[],
  options: GateOptions,
  change: InstantChange,
): Promise<void> {
  let durable: Promise<void> = Promise.resolve();
  await atInstant(parts, volumes, options, async () => {
    change.check();
    const seq = await append(parts, change.records);
    change.applied?.(seq);
    // Before the gates open: what comes in then is not to be waited for.
    durable = makeDurable(parts);
    durable.catch(() => undefined);
  });
  await durable;
}

/** Closes the gates of the volumes in one step, waits for what had passed, does the work and opens them (rule N). */
export async function atInstant(
  parts: Hurrying,
  volumes: readonly ThinVolume[],
  options: GateOptions,
  work: () => Promise<void>,
): Promise<void> {
  const gates: Gate[] = [...new Set(volumes)].map(({ gate }) => gate);
  await hurrying(parts, () => closeAll(gates, options));
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
