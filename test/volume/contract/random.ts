import { describe, expect, it } from "vitest";
import {
  discard,
  flush,
  readBytes,
  writeBytes,
  writeZeroes,
} from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import type { Volume } from "../../../src/volume/volume.ts";
import { benchOf, type VolumeFactory } from "./factory.ts";

const SECTOR = 512;
const SIZE = 2 * 1024 * 1024;
const SECTORS = SIZE / SECTOR;
const LENGTH_SECTORS_MAX = 160;
const ROUNDS = 300;

/** A volume and a Buffer that goes through the same operations. */
class Differential {
  readonly #volume: Volume;
  readonly #random: SeededRandom;
  readonly #oracle = Buffer.alloc(SIZE);

  constructor(volume: Volume, random: SeededRandom) {
    this.#volume = volume;
    this.#random = random;
  }

  async step(): Promise<void> {
    const random = this.#random;
    const start = random.below(SECTORS);
    const sectors = random.between(1, Math.min(LENGTH_SECTORS_MAX, SECTORS - start));
    const offset = start * SECTOR;
    const length = sectors * SECTOR;
    const dice = random.below(20);
    if (dice < 7) await this.#write(offset, length);
    else if (dice < 14) await this.compare(offset, length);
    else if (dice < 16) await this.#zero(offset, length);
    else if (dice < 18) await this.#discard(offset, length);
    else if (dice < 19) await flush(this.#volume);
    else await this.#tryBoth(offset, length);
  }

  async compare(offset: number, length: number): Promise<void> {
    const got = await readBytes(this.#volume, offset, length);
    expect(got.equals(this.#oracle.subarray(offset, offset + length))).toBe(true);
  }

  async #write(offset: number, length: number): Promise<void> {
    const data = this.#random.bytes(length);
    await writeBytes(this.#volume, offset, data);
    data.copy(this.#oracle, offset);
  }

  async #zero(offset: number, length: number): Promise<void> {
    await writeZeroes(this.#volume, offset, length);
    this.#oracle.fill(0, offset, offset + length);
  }

  /**
   * Afterwards whole units are zeros where the manifest says so. What is left at the ends is zeros, too, or was not touched: to free
   * less than a unit is no duty. Where the manifest leaves it open, it is what the volume says.
   */
  async #discard(offset: number, length: number): Promise<void> {
    const { discardGranularityBytes: granularity, discardZeroes } = this.#volume.capabilities;
    if (granularity === 0) return;
    await discard(this.#volume, offset, length);
    const got = await readBytes(this.#volume, offset, length);
    if (discardZeroes) {
      const wholeStart = Math.ceil(offset / granularity) * granularity;
      const wholeEnd = Math.floor((offset + length) / granularity) * granularity;
      for (let at = offset; at < offset + length; at += SECTOR) {
        const sector = got.subarray(at - offset, at - offset + SECTOR);
        const isKept = sector.equals(this.#oracle.subarray(at, at + SECTOR));
        const mayBeKept = at < wholeStart || at >= wholeEnd;
        expect((isKept && mayBeKept) || sector.every((byte) => byte === 0)).toBe(true);
      }
    }
    got.copy(this.#oracle, offset);
  }

  /** A write that could not be done at once may have been done in part: whoever tries it has to submit it then. */
  async #tryBoth(offset: number, length: number): Promise<void> {
    const data = this.#random.bytes(length);
    if (!this.#volume.tryWrite(data, 0, length, offset)) {
      await writeBytes(this.#volume, offset, data);
    }
    data.copy(this.#oracle, offset);
    const into = Buffer.alloc(length);
    if (!this.#volume.tryRead(into, 0, length, offset)) return;
    expect(into.equals(this.#oracle.subarray(offset, offset + length))).toBe(true);
  }
}

/** Random operations against a Buffer as the oracle, one after the other and side by side. */
export function describeRandom(factory: VolumeFactory): void {
  const bench = benchOf(factory);
  const seed = chooseSeed(process.env);

  describe(`random operations (THINLUN_SEED=${seed})`, () => {
    it("have the effect that they have on a Buffer", async () => {
      const volume = await bench.make(SIZE);
      const random = new SeededRandom(seed);
      const differential = new Differential(volume, random);
      for (let round = 0; round < ROUNDS; round += 1) await differential.step();
      await differential.compare(0, SIZE);
    });

    it("do not disturb each other when they run side by side on ranges of their own", async () => {
      const volume = await bench.make(SIZE);
      const random = new SeededRandom(seed);
      const lanes = 16;
      const laneBytes = SIZE / lanes;
      const contents = Array.from({ length: lanes }, () => Buffer.alloc(laneBytes));
      const run = async (content: Buffer, lane: number): Promise<void> => {
        const own = new SeededRandom(random.uint32());
        for (let round = 0; round < 12; round += 1) {
          const offset = own.below(laneBytes / SECTOR) * SECTOR;
          const length = Math.min(laneBytes - offset, own.between(1, 64) * SECTOR);
          const data = own.bytes(length);
          await writeBytes(volume, lane * laneBytes + offset, data);
          data.copy(content, offset);
          const got = await readBytes(volume, lane * laneBytes, laneBytes);
          expect(got.equals(content)).toBe(true);
        }
      };
      await Promise.all(contents.map(run));
      expect((await readBytes(volume, 0, SIZE)).equals(Buffer.concat(contents))).toBe(true);
    });

    it("that overlap leave each sector as one of them wrote it", async () => {
      const volume = await bench.make(SIZE);
      const writers = 8;
      const length = 64 * SECTOR;
      const writes = Array.from({ length: writers }, (_, index) =>
        writeBytes(volume, index * 8 * SECTOR, Buffer.alloc(length, index + 1)),
      );
      await Promise.all(writes);
      const end = (writers - 1) * 8 * SECTOR + length;
      const got = await readBytes(volume, 0, end);
      for (let at = 0; at < end; at += SECTOR) {
        const sector = got.subarray(at, at + SECTOR);
        const writer = sector[0] ?? 0;
        expect(sector.every((byte) => byte === writer)).toBe(true);
        const start = (writer - 1) * 8 * SECTOR;
        expect(writer > 0 && at >= start && at < start + length).toBe(true);
      }
    });
  });
}
