import { isFault } from "../format/fault.ts";
import type { SuperblockCopy } from "../format/superblock-io.ts";
import { mayWrite, type Superblock } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";

/** A checkpoint that recovery may start from. */
export interface Candidate {
  readonly superblock: Superblock;
  /** There is a newer one. */
  readonly isOlder: boolean;
  /** Everything up to here was durable when the newest superblock was written. */
  readonly durableSeq: number;
}

/**
 * The checkpoints to be tried, best first: the newest, then, if that one is broken, the one before. That has the longer journal and leads to
 * the same state, but only in the same epoch: the journal of another one holds what was discarded.
 *
 * @throws {PoolError} corrupt: no superblock can be read; unsupported: it may not be written
 */
export function candidatesOf(copies: readonly SuperblockCopy[], isReadOnly: boolean): Candidate[] {
  const whole: Superblock[] = [];
  for (const { superblock } of copies) {
    if (!isFault(superblock) && superblock.deviceIndex === 0) whole.push(superblock);
  }
  whole.sort((a, b) => b.generation - a.generation);
  const [newest] = whole;
  if (newest === undefined) {
    throw new PoolError(
      "corrupt",
      "no superblock of the pool can be read; see thinlun pool repair",
    );
  }
  if (!isReadOnly) checkWritable(newest);
  const candidates: Candidate[] = [];
  for (const superblock of whole) {
    const isKnown = candidates.some((candidate) => isSame(candidate.superblock, superblock));
    const isUsable = superblock.epoch === newest.epoch && superblock.poolUuid === newest.poolUuid;
    if (isKnown || !isUsable) continue;
    const isOlder = superblock.generation < newest.generation;
    candidates.push({ superblock, isOlder, durableSeq: newest.checkpointSeq });
  }
  return candidates;
}

function checkWritable(newest: Superblock): void {
  const { poolName } = newest;
  if (!mayWrite(newest)) {
    throw new PoolError(
      "unsupported",
      `pool "${poolName}" was made by a later version: it can only be read`,
    );
  }
  if (newest.needsCheck) {
    throw new PoolError(
      "corrupt",
      `pool "${poolName}" is marked as broken; see thinlun pool check`,
    );
  }
}

function isSame(a: Superblock, b: Superblock): boolean {
  return (
    a.generation === b.generation && a.root.block === b.root.block && a.root.crc === b.root.crc
  );
}

/**
 * The number of the checkpoint that ends a recovery: newer than all that there are, and written to the slot that the one it
 * started from does not use. Where no other is left, one may be lost that was newer: this one is newer still (rule L).
 */
export function generationAfter(base: Superblock, copies: readonly SuperblockCopy[]): number {
  let newest = base.generation;
  let isAlone = true;
  for (const { superblock } of copies) {
    if (isFault(superblock)) continue;
    newest = Math.max(newest, superblock.generation);
    isAlone &&= superblock.generation === base.generation;
  }
  if (isAlone) return base.generation + 3;
  return (newest + 1 - base.generation) % 2 === 0 ? newest + 2 : newest + 1;
}
