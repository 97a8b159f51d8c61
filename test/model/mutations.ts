/** A rule broken on purpose: the checker is alive only if it finds each of them. */
export interface MutationNote {
  /** The letter of the rule in docs/ordering-rules.md. */
  readonly rule: string;
  readonly breaks: string;
}

const NOTES = {
  mapBeforeData: { rule: "A", breaks: "the map record is appended before the data is written" },
  maskBeforeData: { rule: "A", breaks: "a PARTIAL's mask grows before the block is written" },
  applyAfterAppend: {
    rule: "O",
    breaks: "other work runs between an append and its effect on the map",
  },
  journalTailRewrite: {
    rule: "J",
    breaks: "records are added to the journal's last block in place",
  },
  allocateWithoutLock: { rule: "S", breaks: "two first writes to an extent both allocate" },
  fillerWithoutLock: { rule: "S", breaks: "the filler copies while a write adds a block" },
  flushWithoutBarrier: { rule: "B", breaks: "FLUSH appends no barrier record" },
  trustWholeJournal: { rule: "B", breaks: "all records are replayed after a power loss" },
  barrierCoversLater: {
    rule: "B",
    breaks: "the barrier covers what was appended while its flush ran",
  },
  safeOnDirtyExtent: { rule: "B", breaks: "a map to an extent with old content is marked safe" },
  safeOverBase: { rule: "B", breaks: "a PARTIAL over old content is marked safe" },
  flushOneDevice: { rule: "B", breaks: "only the journal's device is flushed before the barrier" },
  refcountAtOnce: {
    rule: "Q",
    breaks: "the count drops before the freeing record is durable (reuse waits)",
  },
  noQuarantine: { rule: "Q", breaks: "a freed extent is reused at once" },
  releaseUnderIo: {
    rule: "Q",
    breaks: "an extent is released while earlier I/O still runs on it",
  },
  countUnderIo: {
    rule: "Q",
    breaks: "the count drops while earlier I/O still runs on the extent (reuse waits)",
  },
  baseNotCounted: { rule: "P", breaks: "a PARTIAL's base is not counted as a reference" },
  sharedPartialInPlace: { rule: "P", breaks: "a shared PARTIAL takes a block instead of merging" },
  baseFreedAtOnce: { rule: "P", breaks: "a full mask frees the base before its record is durable" },
  snapshotWithoutDrain: { rule: "N", breaks: "a snapshot does not wait for writes in flight" },
  groupInSeveralBlocks: { rule: "N", breaks: "each volume of a group has its own journal block" },
  rollbackWithoutDrain: {
    rule: "N",
    breaks: "a rollback does not wait for writes to the volume",
  },
  rollbackSourceOpen: { rule: "N", breaks: "a rollback does not gate the volume it copies" },
  checkpointNotFlushed: { rule: "C", breaks: "the superblock is written before leaves are stable" },
  checkpointOneDevice: { rule: "C", breaks: "a checkpoint flushes only its own device" },
  superblockNotFlushed: {
    rule: "C",
    breaks: "the journal is reused before the superblock is stable",
  },
  leafInPlace: { rule: "C", breaks: "a leaf is overwritten where the last checkpoint has it" },
  zeroBeforeSync: { rule: "Z", breaks: "an extent counts as zeros before its punch is synced" },
  punchAllocatable: { rule: "Z", breaks: "an extent can be allocated while it is being punched" },
  orphanPunch: { rule: "Z", breaks: "a restart does not wait for the punch of the killed process" },
  grownIsZero: { rule: "Z", breaks: "the extents of an added device count as zeros" },
  epochKept: { rule: "E", breaks: "recovery goes on in the epoch of what it discarded" },
  recoveryNotFlushed: {
    rule: "E",
    breaks: "recovery writes before the superblock it found in the page cache is stable",
  },
  bootIgnored: { rule: "K", breaks: "a killed process is recovered like a power loss" },
  retryFailedFlush: { rule: "F", breaks: "a failed flush is tried again, and succeeds" },
  reopenAfterFailure: {
    rule: "F",
    breaks: "a pool whose flush failed is opened again in the same boot",
  },
  growthOverlaps: { rule: "G", breaks: "two requests add the same device at the same time" },
  growBeforeRecord: { rule: "G", breaks: "an added device's extents are used before its record" },
  labelAfterRecord: { rule: "G", breaks: "a device is recorded before its label is written" },
  grownNotFlushed: { rule: "G", breaks: "flushes do not reach a device that was added" },
  markNotDurable: { rule: "V", breaks: "extents are handed out before their mark is durable" },
  markForgotten: { rule: "V", breaks: "a checkpoint does not say how far the mark has moved" },
  freedAfterNext: {
    rule: "L",
    breaks: "the places of a checkpoint are free when the next one is durable",
  },
  journalOneInterval: {
    rule: "L",
    breaks: "the journal is reused up to the newest checkpoint",
  },
  checkpointWithoutBarrier: {
    rule: "L",
    breaks: "a checkpoint appends no barrier for the records that it buries",
  },
  shrinkKeepsEntries: { rule: "R", breaks: "entries past the end survive a shrink" },
} as const satisfies Readonly<Record<string, MutationNote>>;

export type Mutation = keyof typeof NOTES;

export const MUTATIONS: readonly Mutation[] = Object.keys(NOTES).filter(isMutation);

export function isMutation(name: string): name is Mutation {
  return Object.hasOwn(NOTES, name);
}

export function noteOf(mutation: Mutation): MutationNote {
  return NOTES[mutation];
}
