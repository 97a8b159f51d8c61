import { describe, expect, it } from "vitest";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { syncBarrier } from "../../../src/thin/log/promises.ts";
import { IoKind } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { TestRequest } from "../../device/test-request.ts";
import { VolumeOracle } from "./oracle.ts";
import { TestPool } from "./test-pool.ts";

const seed = chooseSeed(process.env);
const KIB = 1024;
const SECTOR = 512;
const EXTENTS = 6;
const VOLUMES_MAX = 4;
const SECTORS_MAX = 150;

interface Subject {
  readonly volume: ThinVolume;
  readonly oracle: VolumeOracle;
  isBusy: boolean;
}

/** Each sector says all over which write it is of, and which sector it is. */
function tagged(sector: number, count: number, value: number): Buffer {
  const data = Buffer.alloc(count * SECTOR);
  if (value === 0) return data;
  for (let at = 0; at < data.length; at += 8) {
    data.writeUInt32LE(value, at);
    data.writeUInt32LE(sector + Math.floor(at / SECTOR), at + 4);
  }
  return data;
}

function valuesOf(data: Buffer, sector: number): number[] {
  const values: number[] = [];
  for (let at = 0; at < data.length; at += SECTOR) {
    const value = data.readUInt32LE(at);
    const index = sector + at / SECTOR;
    const isWhole = tagged(index, 1, value).equals(data.subarray(at, at + SECTOR));
    values.push(isWhole ? value : -1);
  }
  return values;
}

/** Random requests, many at a time, on a device that ends them in random order. */
class Fuzz {
  readonly pool: TestPool;
  readonly random: SeededRandom;
  readonly subjects: Subject[] = [];
  readonly #sectors: number;
  #value = 0;

  constructor(pool: TestPool, random: SeededRandom) {
    this.pool = pool;
    this.random = random;
    this.#sectors = (EXTENTS * pool.geometry.extentBytes) / SECTOR;
  }

  async run(workers: number, steps: number): Promise<void> {
    const volume = await this.pool.create(this.#sectors * SECTOR);
    this.subjects.push({ volume, oracle: new VolumeOracle(this.#sectors), isBusy: false });
    const all = Array.from({ length: workers }, async () => {
      for (let step = 0; step < steps; step += 1) await this.#step();
    });
    await Promise.all(all);
    for (const subject of this.subjects) await this.#read(subject, 0, this.#sectors);
  }

  async #step(): Promise<void> {
    const subject = this.random.pick(this.subjects);
    const choice = this.random.below(100);
    const countMax = this.random.chance(0.1) ? SECTORS_MAX : 16;
    const count = this.random.between(1, countMax);
    const first = this.random.below(this.#sectors - count + 1);
    if (choice < 45) await this.#change(subject, IoKind.write, first, count);
    else if (choice < 70) await this.#read(subject, first, count);
    else if (choice < 75) await this.#change(subject, IoKind.writeZeroes, first, count);
    else if (choice < 82) await this.#discard(subject);
    else if (choice < 88) await subject.volume.fill(this.random.below(EXTENTS));
    else if (choice < 94) await syncBarrier(this.pool.barrier);
    else if (choice < 97) await this.#snapshot(subject);
    else await this.#delete();
  }

  async #change(subject: Subject, kind: IoKind, first: number, count: number): Promise<void> {
    const isZero = kind === IoKind.writeZeroes || this.random.chance(0.05);
    this.#value += 1;
    const value = isZero ? 0 : this.#value;
    const data = tagged(first, count, value);
    const change = subject.oracle.start(first, count, value);
    const isNow =
      kind === IoKind.write && subject.volume.tryWrite(data, 0, data.length, first * SECTOR);
    let isDone = isNow;
    if (!isNow) {
      // Inside a sector two writes that overlap may mix, as on any disk.
      const cut = this.random.below(count) * SECTOR;
      const parts = kind === IoKind.write ? [data.subarray(0, cut), data.subarray(cut)] : 0;
      const request = new TestRequest(kind, first * SECTOR, parts);
      request.lengthBytes = data.length;
      request.forceUnitAccess = this.random.chance(0.1);
      isDone = await this.#end(subject, request);
    }
    subject.oracle.end(first, count, change, isDone);
  }

  async #discard(subject: Subject): Promise<void> {
    const perExtent = this.pool.geometry.extentBytes / SECTOR;
    const lext = this.random.below(EXTENTS);
    const count = this.random.between(1, Math.min(2, EXTENTS - lext));
    const [first, sectors] = [lext * perExtent, count * perExtent];
    const change = subject.oracle.start(first, sectors, 0);
    const request = new TestRequest(IoKind.discard, first * SECTOR, sectors * SECTOR);
    subject.oracle.end(first, sectors, change, await this.#end(subject, request));
  }

  async #read(subject: Subject, first: number, count: number): Promise<void> {
    const data = Buffer.alloc(count * SECTOR, 0x55);
    const reading = subject.oracle.startReading(first, count);
    if (!subject.volume.tryRead(data, 0, data.length, first * SECTOR)) {
      const request = new TestRequest(IoKind.read, first * SECTOR, [data]);
      if (!(await this.#end(subject, request))) return;
    }
    const complaint = subject.oracle.endReading(reading, valuesOf(data, first));
    if (complaint !== null) throw new Error(`${subject.volume.attributes.name}: ${complaint}`);
  }

  /** False where the volume was deleted meanwhile. */
  async #end(subject: Subject, request: TestRequest): Promise<boolean> {
    subject.volume.submit(request);
    await request.ended;
    expect(request.doneCount).toBe(1);
    if (request.error?.kind === "gone" && subject.volume.isGone) return false;
    if (request.error !== null) throw request.error;
    return true;
  }

  async #snapshot(subject: Subject): Promise<void> {
    if (this.subjects.length >= VOLUMES_MAX || subject.isBusy) return;
    subject.isBusy = true;
    const oracles: VolumeOracle[] = [];
    const { gate } = subject.volume;
    // Later a write that waited at the gate may have ended, and hidden what the copy shows.
    const volume = await this.pool.snapshot(subject.volume, () => {
      oracles.push(new VolumeOracle(this.#sectors, subject.oracle));
    });
    expect(gate.isClosed).toBe(false);
    subject.isBusy = false;
    const [oracle] = oracles;
    if (oracle !== undefined) this.subjects.push({ volume, oracle, isBusy: false });
  }

  async #delete(): Promise<void> {
    const subject = this.random.pick(this.subjects);
    if (this.subjects.length < 2 || subject.isBusy) return;
    subject.isBusy = true;
    this.subjects.splice(this.subjects.indexOf(subject), 1);
    await this.pool.delete(subject.volume);
  }
}

const variants = [16, 64, 1024].flatMap((extentKib) =>
  [true, false].map((isDirty) => [extentKib, isDirty] as const),
);

describe(`many requests at a time (seed ${seed})`, () => {
  it.each(variants)(
    "read what was written, extents of %i KiB, garbage: %s",
    async (kib, isDirty) => {
      const random = new SeededRandom(seed);
      const extentBytes = kib * KIB;
      const extents = (VOLUMES_MAX + 2) * EXTENTS * 2;
      const pool = await TestPool.make({ extentBytes, isDirty, extents, random });
      const fuzz = new Fuzz(pool, random);
      await fuzz.run(12, kib > 64 ? 60 : 150);
      await pool.settle();
      const { space } = pool.state;
      for (const { volume } of fuzz.subjects) {
        expect([volume.gate.changes, volume.gate.reads]).toEqual([0, 0]);
      }
      expect([space.pinnedExtents, space.quarantinedExtents]).toEqual([0, 0]);
      const mapped = new Set<number>();
      for (const { volume } of fuzz.subjects) {
        for (let lext = 0; lext < EXTENTS; lext += 1) {
          const leaf = volume.state.map.leafAt(lext);
          if (leaf === 0) continue;
          const word = pool.state.leaves.entry(leaf, lext);
          if (word !== 0) mapped.add((word & 0x7fff_ffff) - 1);
          const base = pool.state.leaves.base(leaf, lext);
          if (base >= 0) mapped.add(base);
        }
      }
      expect(space.freeExtents + mapped.size).toBe(space.totalExtents);
    },
  );
});
