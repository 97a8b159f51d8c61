import { barrier } from "./barrier.ts";
import { gate, ungate } from "./gate.ts";
import { VIRGIN_END, deviceOfExtent, extentsOf, labelCell } from "./geometry.ts";
import { flushDevices } from "./flush.ts";
import { append } from "./journal.ts";
import type { Pool, Steps } from "./pool.ts";
import { punchCells } from "./punch.ts";

/** Tells the oracle that the operation has taken effect: requests that begin from now on see it. */
type Instant = () => void;

/**
 * Copies several volumes at one instant; false where one is gone. The gates open as soon as the record is applied: who
 * writes then finds the extents shared, and no barrier covers the new record without this one.
 */
export function* snapshot(
  pool: Pool,
  pairs: readonly (readonly [source: number, copy: number])[],
  instant: Instant,
): Steps<boolean> {
  const drains = pool.mutation !== "snapshotWithoutDrain";
  const sources = yield* gate(
    pool,
    pairs.map(([source]) => source),
    drains,
  );
  if (sources === undefined) return false;
  if (pool.mutation === "groupInSeveralBlocks") {
    for (const pair of pairs) yield* append(pool, { kind: "snap", pairs: [pair] });
  } else {
    yield* append(pool, { kind: "snap", pairs });
  }
  instant();
  ungate(sources);
  yield* barrier(pool);
  return true;
}

export function* remove(pool: Pool, volume: number): Steps<boolean> {
  const gated = yield* gate(pool, [volume], true);
  if (gated === undefined) return false;
  yield* append(pool, { kind: "delete", volume });
  yield* barrier(pool);
  return true;
}

/** The volume becomes what `source` is. Its gates open like those of a snapshot. */
export function* rollback(
  pool: Pool,
  volume: number,
  source: number,
  instant: Instant,
): Steps<boolean> {
  const ids = pool.mutation === "rollbackSourceOpen" ? [volume] : [volume, source];
  const gated = yield* gate(pool, ids, pool.mutation !== "rollbackWithoutDrain");
  if (gated === undefined) return false;
  if (!pool.volumes.has(source)) {
    ungate(gated);
    return false;
  }
  yield* append(pool, { kind: "rollback", volume, source });
  instant();
  ungate(gated);
  yield* barrier(pool);
  return true;
}

export function* resize(pool: Pool, volume: number, extents: number): Steps<boolean> {
  const gated = yield* gate(pool, [volume], true);
  if (gated === undefined) return false;
  yield* append(pool, { kind: "resize", volume, extents });
  yield* barrier(pool);
  ungate(gated);
  return true;
}

/**
 * Adds a device: its label is written before the record, its extents are used after it (rule G). From the record on,
 * every flush reaches the device, so that no barrier covers the record without the label.
 */
export function* grow(pool: Pool, device: number): Steps<boolean> {
  yield undefined;
  if (pool.devices > device) return false;
  if (pool.isGrowing && pool.mutation !== "growthOverlaps") return false;
  pool.isGrowing = true;
  const isEarly = pool.mutation === "growBeforeRecord";
  const isLabelLate = pool.mutation === "labelAfterRecord";
  if (isEarly) addExtents(pool, device);
  if (!isLabelLate) pool.disk.write(labelCell(device), { kind: "label", device });
  yield undefined;
  yield* append(pool, { kind: "grow", device });
  if (isLabelLate) pool.disk.write(labelCell(device), { kind: "label", device });
  yield* barrier(pool);
  if (!isEarly) addExtents(pool, device);
  pool.isGrowing = false;
  return true;
}

function addExtents(pool: Pool, device: number): void {
  for (const extent of extentsOf(device)) {
    pool.free.add(extent);
    if (pool.mutation === "grownIsZero") pool.zeroKnown.add(extent);
  }
}

/** Moves the mark behind which extents may be handed out: they are when the record is durable (rule V). */
export function* advance(pool: Pool): Steps {
  yield undefined;
  if (pool.virginFrom === VIRGIN_END) return;
  yield* append(pool, { kind: "virgin", from: pool.virginFrom + 1 });
  yield* barrier(pool);
}

/** Punches one free extent in the background; it counts as zeros when a flush after the punch is complete (rule Z). */
export function* discard(pool: Pool): Steps {
  yield undefined;
  const candidates = [...pool.free].filter((extent) => !pool.zeroKnown.has(extent));
  if (candidates.length === 0) return;
  const extent = pool.random.pick(candidates);
  if (pool.mutation !== "punchAllocatable") pool.free.delete(extent);
  if (pool.mutation === "zeroBeforeSync") {
    yield* punchCells(pool, extent);
    pool.zeroKnown.add(extent);
    pool.free.add(extent);
    return;
  }
  yield* punchCells(pool, extent);
  yield* flushDevices(pool, [deviceOfExtent(extent)]);
  if (pool.mutation === "punchAllocatable") return;
  pool.zeroKnown.add(extent);
  pool.free.add(extent);
}
