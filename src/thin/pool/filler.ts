import { LEAF_ENTRIES } from "../format/layout.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { isOutOfRoom } from "../log/storage.ts";
import { isPartial } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { FILL_LEAVES_PER_ROUND } from "./limits.ts";
import type { PoolParts } from "./pool-parts.ts";
import type { RateLimit } from "./rate-limit.ts";

type FillerParts = Pick<PoolParts, "state" | "journal" | "volumes" | "log" | "storage">;

/**
 * Completes PARTIAL extents that nobody shares, when nobody writes: their bases come free, and reads find them in one piece. It goes
 * round all volumes, a little at a time, and rests when a whole round found nothing to do and no record has come since.
 */
export class Filler {
  readonly #parts: FillerParts;
  readonly #rate: RateLimit;
  readonly #isBusy: () => boolean;
  /** Where the next round goes on. */
  #volumeId = 0;
  #leafIndex = 0;
  #filledInPass = 0;
  #filledInRound = 0;
  #passSeq = -1;
  #restsAtSeq = -1;
  #filled = 0;

  /** `isBusy`: somebody has begun to use what it uses. */
  constructor(parts: FillerParts, rate: RateLimit, isBusy: () => boolean) {
    this.#parts = parts;
    this.#rate = rate;
    this.#isBusy = isBusy;
  }

  /** Extents that it has completed. */
  get filled(): number {
    return this.#filled;
  }

  /** Does as much as the rate allows; one extent, where there is much else to do: bases come free in the end, also of a host that never rests. */
  async round(): Promise<void> {
    const { appliedSeq } = this.#parts.journal;
    if (appliedSeq === this.#restsAtSeq) return;
    this.#filledInRound = 0;
    for (let count = 0; count < FILL_LEAVES_PER_ROUND && this.#mayGoOn(); count += 1) {
      const volume = this.#nextVolume();
      if (volume === null) return;
      const leafIndex = this.#leafIndex;
      this.#leafIndex += 1;
      await this.#fillLeaf(volume, leafIndex);
    }
  }

  #mayGoOn(): boolean {
    if (this.#rate.allowanceBytes <= 0 || this.#parts.storage.isFull) return false;
    return this.#filledInRound === 0 || !this.#isBusy();
  }

  /** The volume of the next leaf, null at the end of a pass. */
  #nextVolume(): ThinVolume | null {
    if (this.#volumeId === 0 && this.#leafIndex === 0) this.#beginPass();
    for (const volume of this.#parts.volumes.all()) {
      const { id } = volume.attributes;
      if (id < this.#volumeId) continue;
      if (id > this.#volumeId) this.#leafIndex = 0;
      this.#volumeId = id;
      if (this.#leafIndex < volume.state.map.leafCount) return volume;
      this.#volumeId = id + 1;
      this.#leafIndex = 0;
    }
    if (this.#filledInPass === 0) this.#restsAtSeq = this.#passSeq;
    this.#volumeId = 0;
    this.#leafIndex = 0;
    return null;
  }

  #beginPass(): void {
    this.#filledInPass = 0;
    this.#passSeq = this.#parts.journal.appliedSeq;
  }

  async #fillLeaf(volume: ThinVolume, leafIndex: number): Promise<void> {
    const { map } = volume.state;
    if (!this.#mayFill(map.leaf(leafIndex))) return;
    map.pinSlot(leafIndex);
    try {
      await this.#parts.state.leaves.load(map.leaf(leafIndex));
      for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
        if (!this.#mayGoOn()) {
          this.#leafIndex = leafIndex;
          return;
        }
        // A leaf that a snapshot shares by now, or a volume that is cut off, is left alone.
        const leaf = leafIndex < map.leafCount ? map.leaf(leafIndex) : NO_LEAF;
        if (!this.#mayFill(leaf) || !this.#parts.state.leaves.isResident(leaf)) return;
        if (!isPartial(this.#parts.state.leaves.entry(leaf, slot))) continue;
        if (!(await volume.fill(leafIndex * LEAF_ENTRIES + slot))) continue;
        this.#rate.use(this.#parts.state.geometry.extentBytes);
        this.#filled += 1;
        this.#filledInPass += 1;
        this.#filledInRound += 1;
      }
    } catch (error) {
      if (isOutOfRoom(error)) {
        this.#parts.storage.noticed();
        return;
      }
      this.#parts.log.warn(
        { error, volume: volume.attributes.name },
        "an extent was not completed",
      );
    } finally {
      map.unpinSlot(leafIndex);
    }
  }

  #mayFill(leaf: number): boolean {
    if (leaf === NO_LEAF) return false;
    const { leaves } = this.#parts.state;
    if (leaves.references(leaf) !== 1) return false;
    if (leaves.isResident(leaf)) return leaves.partials(leaf) > 0;
    return leaves.pointers(leaf)?.masks !== null;
  }
}
