import { assert } from "../util/assert.ts";
import { LoadAction, MIXED_READ_SHARE, type Load } from "./load.ts";

/** Odd, so that multiples of it modulo a power of two are all of the places; its bits lead far from each place to the next. */
const SCATTER_STEP = 40_503;

const FIRST_SEED = 0x2545_f491;

/** Odd: different numbers of sessions come to different seeds. */
const SEED_STEP = 0x9e37_79b1;

/** What the next command is and where it goes: repeatable, without allocation. */
export class LoadPlan {
  readonly #load: Load;
  readonly #places: number;
  readonly #blocks: number;
  readonly #readsBelow: number = Math.floor(MIXED_READ_SHARE * 2 ** 32);
  /** By place in the queue: the range that was written there and is unmapped next, or -1. */
  readonly #written: Float64Array;
  #nextPlace = 0;
  #randomState: number;
  #untilFlush: number;

  constructor(load: Load) {
    assert(load.commandBytes % load.blockBytes === 0, "commands move whole blocks");
    const places = load.scatter?.places ?? 1;
    assert(
      (places & (places - 1)) === 0,
      "scattered places are a power of two: else some are visited twice",
    );
    this.#load = load;
    this.#blocks = load.commandBytes / load.blockBytes;
    this.#places = Math.floor(load.capacityBlocks / this.#blocks);
    assert(this.#places > 0, "a command fits the disk");
    this.#written = new Float64Array(load.queueDepth).fill(-1);
    const seeded = FIRST_SEED ^ Math.imul(load.seed ?? 0, SEED_STEP);
    // Zero would stay zero.
    this.#randomState = seeded === 0 ? FIRST_SEED : seeded;
    this.#untilFlush = load.flushEvery ?? Infinity;
  }

  /** All that {@link nextAction} can say. */
  get actions(): readonly LoadAction[] {
    const { kind, flushEvery } = this.#load;
    const actions: LoadAction[] = [];
    if (kind === "read" || kind === "mixed") actions.push(LoadAction.read);
    if (kind !== "read") actions.push(LoadAction.write);
    if (kind === "unmap") actions.push(LoadAction.unmap);
    if (flushEvery !== undefined) actions.push(LoadAction.flush);
    return actions;
  }

  /** What this place in the queue does now. */
  nextAction(slot: number): LoadAction {
    if (this.#untilFlush === 0) {
      this.#untilFlush = this.#load.flushEvery ?? Infinity;
      return LoadAction.flush;
    }
    this.#untilFlush -= 1;
    const { kind } = this.#load;
    if (kind === "read") return LoadAction.read;
    if (kind === "write") return LoadAction.write;
    if (kind === "unmap") return this.#written[slot] === -1 ? LoadAction.write : LoadAction.unmap;
    return this.#random() < this.#readsBelow ? LoadAction.read : LoadAction.write;
  }

  /** The first block of a command that has been decided on; a flush has none. */
  nextBlock(slot: number, action: LoadAction): number {
    if (action === LoadAction.unmap) {
      const block = this.#written[slot] ?? -1;
      assert(block >= 0, "what is unmapped has been written");
      this.#written[slot] = -1;
      return block;
    }
    const block = this.#freshBlock();
    if (this.#load.kind === "unmap") this.#written[slot] = block;
    return block;
  }

  #freshBlock(): number {
    const { scatter, pattern } = this.#load;
    if (scatter !== undefined) {
      const visit = scatter.first + this.#nextPlace;
      this.#nextPlace += 1;
      return ((visit * SCATTER_STEP) % scatter.places) * scatter.strideBlocks;
    }
    if (pattern === "sequential") {
      this.#nextPlace = (this.#nextPlace + 1) % this.#places;
      return this.#nextPlace * this.#blocks;
    }
    return (this.#random() % this.#places) * this.#blocks;
  }

  /** xorshift32: cheap beside a command. */
  #random(): number {
    let state = this.#randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#randomState = state;
    return state >>> 0;
  }
}
