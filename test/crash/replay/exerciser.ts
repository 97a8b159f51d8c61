import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import {
  flush,
  discard,
  readBytes,
  writeBytes,
  writeStable,
  writeZeroes,
} from "../../../src/util/io-request.ts";
import { readTags, tagSectors } from "../../simulation/tags.ts";
import { type RecordedPool, uuidOf } from "./recorded-pool.ts";
import { contentOf, type SectorChange, SectorHistory, zerosSerial } from "./sector-history.ts";

export const SECTOR_BYTES = 512;
const WORKERS = 4;
const VOLUME_TAG = 1;
const SNAPSHOTS_MAX = 3;

/** A snapshot and what it holds. Positions of the device log. */
export interface RecordedSnapshot {
  readonly name: string;
  readonly serials: Uint32Array;
  readonly begunAt: number;
  /** Acknowledged; Infinity: never. */
  madeAt: number;
  deletedFrom: number;
  deletedAt: number;
}

/**
 * Writes, discards, zeroes, flushes and reads a volume at random, several operations at a time, none of them over another, and
 * copies it now and then.
 */
export class Exerciser {
  readonly history: SectorHistory;
  readonly snapshots: RecordedSnapshot[] = [];
  readonly #recorded: RecordedPool;
  readonly #volume: ThinVolume;
  /** What is there now, as it is read. */
  readonly #current: Uint32Array;
  readonly #busy = new Set<{ readonly sector: number; readonly count: number }>();
  #serial = 0;
  #snapshots = 0;

  constructor(recorded: RecordedPool, volume: ThinVolume) {
    this.#recorded = recorded;
    this.#volume = volume;
    const sectors = volume.capacityBytes / SECTOR_BYTES;
    this.history = new SectorHistory(sectors);
    this.#current = new Uint32Array(sectors);
  }

  /** Goes on until the log has so many entries. */
  async run(positions: number): Promise<void> {
    const { random, log } = this.#recorded;
    while (log.position < positions) {
      await this.#recorded.drive(this.#burst(random.between(5, 80)));
      if (random.chance(0.15)) await this.#copyOrDelete();
    }
  }

  async #burst(operations: number): Promise<void> {
    let left = operations;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#operation();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
  }

  async #operation(): Promise<void> {
    const kind = this.#recorded.random.below(100);
    if (kind < 8) return this.#flush();
    const range = this.#range(kind);
    if (range === null) return;
    this.#busy.add(range);
    try {
      if (kind < 13) await this.#read(range);
      else await this.#change(range, kind);
    } finally {
      this.#busy.delete(range);
    }
  }

  async #flush(): Promise<void> {
    const succeeded = this.history.flushBegins();
    await flush(this.#volume);
    succeeded(this.#recorded.log.position);
  }

  async #read({
    sector,
    count,
  }: {
    readonly sector: number;
    readonly count: number;
  }): Promise<void> {
    const bytes = await readBytes(this.#volume, sector * SECTOR_BYTES, count * SECTOR_BYTES);
    for (const [index, { serial, lba }] of readTags(bytes).entries()) {
      const isHere = serial === 0 || lba === sector + index;
      if (isHere && serial === this.#current[sector + index]) continue;
      throw new Error(
        `sector ${sector + index} reads as write ${serial}, wanted ${this.#current[sector + index]}`,
      );
    }
  }

  async #change(
    { sector, count }: { readonly sector: number; readonly count: number },
    kind: number,
  ): Promise<void> {
    const { log } = this.#recorded;
    this.#serial += 1;
    const isZeros = kind < 26;
    const serial = isZeros ? zerosSerial(this.#serial) : this.#serial;
    const change: SectorChange = { serial, sector, count };
    const [offset, length] = [sector * SECTOR_BYTES, count * SECTOR_BYTES];
    this.history.began(change, log.position);
    const isDurable = kind >= 95;
    if (kind < 20) await discard(this.#volume, offset, length);
    else if (isZeros) await writeZeroes(this.#volume, offset, length);
    else await this.#write(offset, tagSectors(VOLUME_TAG, sector, count, serial), isDurable);
    this.history.acknowledged(change, log.position);
    if (isDurable) this.history.durable(change, log.position);
    this.#current.fill(contentOf(serial), sector, sector + count);
  }

  async #write(offsetBytes: number, data: Buffer, isDurable: boolean): Promise<void> {
    const volume = this.#volume;
    if (isDurable) {
      await writeStable(volume, offsetBytes, data);
    } else if (!volume.tryWrite(data, 0, data.length, offsetBytes)) {
      await writeBytes(volume, offsetBytes, data);
    }
  }

  #range(kind: number): { readonly sector: number; readonly count: number } | null {
    const { random, shape } = this.#recorded;
    const sectors = this.#current.length;
    const extentSectors = shape.extentBytes / SECTOR_BYTES;
    let count = random.chance(0.6) ? 8 : random.between(1, 2 * extentSectors);
    let sector = random.below(sectors - count);
    if (random.chance(0.6)) sector -= sector % 8;
    // A discard is sure to zero whole extents alone.
    if (kind >= 13 && kind < 20) {
      count = extentSectors * random.between(1, 4);
      sector = random.below(sectors / extentSectors - 3) * extentSectors;
    }
    for (const other of this.#busy) {
      if (sector < other.sector + other.count && other.sector < sector + count) return null;
    }
    return { sector, count: Math.min(count, sectors - sector) };
  }

  async #copyOrDelete(): Promise<void> {
    const alive = this.snapshots.filter(({ deletedFrom }) => deletedFrom === Infinity);
    const { random } = this.#recorded;
    if (alive.length >= SNAPSHOTS_MAX || (alive.length > 0 && random.chance(0.3))) {
      await this.#delete(random.pick(alive));
    } else {
      await this.#copy();
    }
  }

  /** Nothing is on its way: the copy is exactly what is there now. Its making is durable, and so is all that came before. */
  async #copy(): Promise<void> {
    const { pool, log } = this.#recorded;
    this.#snapshots += 1;
    const name = `copy${this.#snapshots}`;
    const snapshot: RecordedSnapshot = {
      name,
      serials: this.#current.slice(),
      begunAt: log.position,
      madeAt: Infinity,
      deletedFrom: Infinity,
      deletedAt: Infinity,
    };
    this.snapshots.push(snapshot);
    const uuid = uuidOf(1000 + this.#snapshots);
    const succeeded = this.history.flushBegins();
    await this.#recorded.drive(pool.snapshot([{ source: this.#volume, name, uuid }]));
    snapshot.madeAt = log.position;
    succeeded(log.position);
  }

  async #delete(snapshot: RecordedSnapshot): Promise<void> {
    const { pool, log } = this.#recorded;
    snapshot.deletedFrom = log.position;
    await this.#recorded.drive(pool.delete(pool.volume(snapshot.name)));
    snapshot.deletedAt = log.position;
  }
}
