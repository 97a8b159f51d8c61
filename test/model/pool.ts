import type { SeededRandom } from "../../src/util/random.ts";
import type { Disk } from "./disk.ts";
import { DEVICES_AT_START, EXTENTS, VIRGIN_FROM } from "./geometry.ts";
import type { Entry, JournalBlock, LeafPointer, RootPointer } from "./metadata.ts";
import type { Mutation } from "./mutations.ts";

/**
 * A piece of work that others overlap: it stops wherever the process can be killed or another task can run.
 * What it yields is the condition for going on, if there is one.
 */
export type Steps<Result = void> = Generator<(() => boolean) | undefined, Result, undefined>;

/** A volume in memory. */
export interface Volume {
  readonly id: number;
  entries: (Entry | undefined)[];
  /** Extents of the volume that one task changes at this time. */
  readonly locks: Set<number>;
  isGated: boolean;
  /** Tasks that change content or map and have passed the gate. */
  active: number;
  /** Where the last checkpoint has it; undefined once it has changed. */
  leaf: LeafPointer | undefined;
}

/** An extent that loses a reference when the record that takes it away is durable. */
export interface Freeing {
  readonly extent: number;
  readonly seq: number;
  /** A mutation's: the count has been lowered already. */
  readonly isCounted: boolean;
}

/** The engine's memory. It is lost in every crash. */
export interface Pool {
  readonly disk: Disk;
  random: SeededRandom;
  readonly mutation: Mutation | undefined;
  /** Chance of a flush to fail. */
  flushFailures: number;
  readonly volumes: Map<number, Volume>;
  devices: number;
  seq: number;
  checkpointSeq: number;
  /** The journal is kept from here on: what the checkpoint before the last one needs. */
  retainedSeq: number;
  generation: number;
  epoch: number;
  /** All records up to here survive a power loss. */
  durableSeq: number;
  /** The last record that a power loss may not replay without a barrier. */
  unsafeSeq: number;
  isCheckpointing: boolean;
  isGrowing: boolean;
  /** Extents of the first device from here on were never handed out, and hold zeros. */
  virginFrom: number;
  /** The record that moved the mark there. */
  virginSeq: number;
  /** The mark that survives a power loss. */
  virginDurable: number;
  /** The leaves of the checkpoint that recovery would start from, and of the one that it could fall back to. */
  leaves: readonly LeafPointer[];
  olderLeaves: readonly LeafPointer[];
  root: RootPointer | undefined;
  olderRoot: RootPointer | undefined;
  pageWrites: number;
  tail: JournalBlock | undefined;
  readonly references: number[];
  readonly pins: number[];
  readonly free: Set<number>;
  readonly zeroKnown: Set<number>;
  freeing: Freeing[];
  /** Extents that a helper process is punching, and the cells it has still to do. */
  readonly punching: Set<readonly number[]>;
}

export function newPool(disk: Disk, random: SeededRandom, mutation: Mutation | undefined): Pool {
  return {
    disk,
    random,
    mutation,
    flushFailures: 0,
    volumes: new Map(),
    devices: DEVICES_AT_START,
    seq: 0,
    checkpointSeq: 0,
    retainedSeq: 0,
    generation: 0,
    epoch: 0,
    durableSeq: 0,
    unsafeSeq: 0,
    isCheckpointing: false,
    isGrowing: false,
    virginFrom: VIRGIN_FROM,
    virginSeq: 0,
    virginDurable: VIRGIN_FROM,
    leaves: [],
    olderLeaves: [],
    root: undefined,
    olderRoot: undefined,
    pageWrites: 0,
    tail: undefined,
    references: Array.from({ length: EXTENTS }, () => 0),
    pins: Array.from({ length: EXTENTS }, () => 0),
    free: new Set(),
    zeroKnown: new Set(),
    freeing: [],
    punching: new Set(),
  };
}

export function newVolume(id: number, entries: readonly (Entry | undefined)[]): Volume {
  return {
    id,
    entries: [...entries],
    locks: new Set(),
    isGated: false,
    active: 0,
    leaf: undefined,
  };
}
