/** What is measured: commands of one kind, so many at a time. */
export interface Load {
  /**
   * "mixed": reads, and writes as the rest of `MIXED_READ_SHARE`; "unmap": each command of a place in the queue writes a range, and the next
   * one unmaps it, so that there is always something to unmap.
   */
  readonly kind: "read" | "write" | "mixed" | "unmap";
  /** "scattered" visits each place of `scatter` once, in no order. */
  readonly pattern: "random" | "sequential" | "scattered";
  readonly lun: number;
  /** The commands go to these in turn; `lun` where left out. */
  readonly luns?: readonly number[];
  readonly commandBytes: number;
  readonly queueDepth: number;
  readonly blockBytes: number;
  readonly capacityBlocks: number;
  /** A SYNCHRONIZE CACHE is sent after so many other commands; none where left out. */
  readonly flushEvery?: number;
  /** Where the random places begin: another one for each session, or all ask for the same at the same time. */
  readonly seed?: number;
  readonly scatter?: Scatter;
  /** Commands that end with CHECK CONDITION count as others do: the disk is being changed meanwhile. */
  readonly toleratesChecks?: boolean;
}

/** Places at the same distance, each of which is visited once: for what happens only the first time. */
export interface Scatter {
  /** From one place to the next. */
  readonly strideBlocks: number;
  /** A power of two. */
  readonly places: number;
  /** The first of the visits that are made, and how many: what one load leaves out is for another. */
  readonly first: number;
  readonly count: number;
}

/** As storage benchmarks usually have it. */
export const MIXED_READ_SHARE = 0.7;

export const LoadAction = { read: 0, write: 1, flush: 2, unmap: 3 } as const;
export type LoadAction = (typeof LoadAction)[keyof typeof LoadAction];
