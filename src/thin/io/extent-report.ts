import { IoRequest } from "../../util/io-request.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { REPORT_LEAVES_PER_TURN } from "./limits.ts";
import type { VolumeCore } from "./volume-core.ts";

/** A run of extents of equal state, in bytes. A PARTIAL extent is mapped. */
export interface ThinExtent {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly mapped: boolean;
}

/** What a report asks for, as the checks of requests see it. */
class Report extends IoRequest {
  override done(): void {
    // It is never submitted.
  }
}

/** Gathers runs until there are as many as are wanted. */
class Runs {
  readonly extents: ThinExtent[] = [];
  readonly #countMax: number;
  #start: number;
  #at: number;
  #mapped = false;

  constructor(offsetBytes: number, countMax: number) {
    this.#start = offsetBytes;
    this.#at = offsetBytes;
    this.#countMax = countMax;
  }

  get isFull(): boolean {
    return this.extents.length === this.#countMax;
  }

  /** The state up to `end`. */
  add(mapped: boolean, end: number): void {
    if (mapped !== this.#mapped) this.close();
    this.#mapped = mapped;
    this.#at = end;
  }

  close(): void {
    if (this.#at > this.#start && !this.isFull) {
      const lengthBytes = this.#at - this.#start;
      this.extents.push({ offsetBytes: this.#start, lengthBytes, mapped: this.#mapped });
    }
    this.#start = this.#at;
  }
}

/**
 * The runs that cover a range, in order and without gaps, `countMax` at the most. Leaves that are not in memory are read; changes
 * that come meanwhile are seen or not. @throws {IoError} gone, failed, range, medium
 */
export async function reportExtents(
  core: VolumeCore,
  offsetBytes: number,
  lengthBytes: number,
  countMax: number,
): Promise<ThinExtent[]> {
  const { extentBytes } = core.engine.geometry;
  const leafBytes = LEAF_ENTRIES * extentBytes;
  const end = offsetBytes + lengthBytes;
  const runs = new Runs(offsetBytes, countMax);
  let at = offsetBytes;
  for (let leaves = 1; at < end && !runs.isFull; leaves += 1) {
    const refusal = core.refusal(new Report(), offsetBytes, lengthBytes);
    if (refusal !== null) throw refusal;
    const leafIndex = Math.floor(at / leafBytes);
    const leafEnd = Math.min((leafIndex + 1) * leafBytes, end);
    if (core.state.map.leafAt(leafIndex * LEAF_ENTRIES) !== NO_LEAF) {
      await addLeaf(core, runs, at, leafEnd);
    } else runs.add(false, leafEnd);
    at = leafEnd;
    if (leaves % REPORT_LEAVES_PER_TURN === 0) await nextTurn(core);
  }
  runs.close();
  const refusal = core.refusal(new Report(), offsetBytes, lengthBytes);
  if (refusal !== null) throw refusal;
  return runs.extents;
}

async function addLeaf(core: VolumeCore, runs: Runs, start: number, end: number): Promise<void> {
  const { extentBytes } = core.engine.geometry;
  const { leaves } = core.engine.state;
  const { map } = core.state;
  const first = Math.floor(start / extentBytes);
  const leafIndex = Math.floor(first / LEAF_ENTRIES);
  map.pinSlot(leafIndex);
  try {
    // The volume may be cut off while a leaf is read: then nothing is mapped here, and the caller refuses the range.
    const leafNow = (): number => (first < map.extentCount ? map.leafAt(first) : NO_LEAF);
    let leaf = leafNow();
    while (leaf !== NO_LEAF && !leaves.isResident(leaf)) {
      await leaves.load(leaf);
      leaf = leafNow();
    }
    for (let lext = first; lext * extentBytes < end && !runs.isFull; lext += 1) {
      const mapped = leaf !== NO_LEAF && leaves.entry(leaf, lext % LEAF_ENTRIES) !== 0;
      runs.add(mapped, Math.min((lext + 1) * extentBytes, end));
    }
  } finally {
    map.unpinSlot(leafIndex);
  }
}

function nextTurn(core: VolumeCore): Promise<void> {
  return new Promise((resolve) => {
    core.engine.clock.after(0, resolve);
  });
}
