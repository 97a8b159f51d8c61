import { randomBytes } from "node:crypto";
import { assert } from "./assert.ts";

/** A source of bytes: what is needed of randomness where it must not be guessed (challenges, identifiers). */
export type RandomBytes = (lengthBytes: number) => Uint8Array;

/** The system's cryptographic generator. */
export const systemRandomBytes: RandomBytes = (lengthBytes) => randomBytes(lengthBytes);

const UINT32_RANGE = 0x1_0000_0000;

/** What the generator's state starts from besides the seed: any odd constant does, this one is the golden ratio's. */
const SEED_STEP = 0x9e37_79b9;

/**
 * Random numbers that repeat for a seed, for tests and simulations: sfc32 (Doty-Humphrey), 128 bits of state.
 * Never for secrets.
 */
export class SeededRandom {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    assert(Number.isInteger(seed) && seed >= 0 && seed < UINT32_RANGE, "a seed is 32 bits");
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = (seed ^ SEED_STEP) | 0;
    this.#c = Math.imul(seed, SEED_STEP) | 0;
    // The first outputs still show the seed.
    for (let round = 0; round < 16; round += 1) this.uint32();
  }

  /** A number of 32 random bits. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A natural number below `limit`, which is at most 2^53. */
  below(limit: number): number {
    assert(Number.isSafeInteger(limit) && limit > 0, "a limit is a positive integer");
    if (limit <= UINT32_RANGE) return Math.floor((this.uint32() / UINT32_RANGE) * limit);
    const high = this.below(Math.ceil(limit / UINT32_RANGE));
    return (high * UINT32_RANGE + this.uint32()) % limit;
  }

  /** A number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.uint32() / UINT32_RANGE < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    assert(choice !== undefined, "a choice has a value");
    return choice;
  }

  /** Fills and returns `bytes`. */
  fill<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
    let word = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      word = index % 4 === 0 ? this.uint32() : word >>> 8;
      bytes[index] = word;
    }
    return bytes;
  }

  bytes(lengthBytes: number): Buffer {
    return this.fill(Buffer.allocUnsafe(lengthBytes));
  }
}

/** Set to a number, random tests repeat what they did with it. */
export const SEED_VARIABLE = "THINLUN_SEED";

/** The seed that the environment asks for, otherwise a new one. */
export function chooseSeed(environment: Readonly<Record<string, string | undefined>>): number {
  const wanted = environment[SEED_VARIABLE];
  if (wanted === undefined || wanted === "") return randomBytes(4).readUInt32LE(0);
  const seed = Number(wanted);
  if (!/^\d+$/.test(wanted) || seed >= UINT32_RANGE) {
    throw new RangeError(`${SEED_VARIABLE} is a number below 2^32, not "${wanted}"`);
  }
  return seed;
}
