import type { SeededRandom } from "../../src/util/random.ts";
import { CELLS, DEVICES_AT_START, METADATA_CELLS, deviceOfCell, labelCell } from "./geometry.ts";
import type { Content } from "./metadata.ts";

interface Version {
  readonly content: Content;
  readonly serial: number;
}

const TORN: Content = { kind: "torn" };

/** How often the kernel or the drive writes something back of its own accord, per write. */
const WRITEBACK_CHANCE = 0.15;
const TORN_CHANCE = 0.25;

/** A page of which the write failed reads as if it were clean, until it is evicted. */
const LOST_PAGE_CHANCE = 0.5;

/**
 * Devices with volatile caches. A cell is a list of versions on top of what is on the media: a flush of its device
 * settles those that were there when the flush began, a power cut leaves any of them, a killed process none the less.
 */
export class Disk {
  /** Changes with every power cut: what the kernel calls the boot id. */
  boot = 1;
  /** Decides what the caches do; each round of a history brings its own. */
  random: SeededRandom;
  readonly #stable: Content[] = Array.from({ length: CELLS }, () => undefined);
  readonly #pending: Version[][] = Array.from({ length: CELLS }, () => []);
  readonly #dirty = new Set<number>();
  /** What the page cache still shows of writes that failed and will never be tried again. */
  readonly #lost = new Map<number, Content>();
  #serial = 0;

  constructor(random: SeededRandom) {
    this.random = random;
    for (let cell = METADATA_CELLS; cell < CELLS; cell += 1) {
      // Sparse files read as zeros; the device that is added later was somebody else's before.
      this.#stable[cell] = deviceOfCell(cell) < DEVICES_AT_START ? 0 : -cell;
    }
    for (let device = 0; device < DEVICES_AT_START; device += 1) {
      this.#stable[labelCell(device)] = { kind: "label", device };
    }
  }

  /** What a process reads: the page cache. */
  read(cell: number): Content {
    const versions = this.#pending[cell];
    const last = versions?.[versions.length - 1];
    if (last !== undefined) return last.content;
    return this.#lost.has(cell) ? this.#lost.get(cell) : this.#stable[cell];
  }

  readData(cell: number): number {
    const content = this.read(cell);
    return typeof content === "number" ? content : Number.NaN;
  }

  /** Whether the media holds this and no later version is under way. */
  isSettled(cell: number, content: Content): boolean {
    return this.#pending[cell]?.length === 0 && this.#stable[cell] === content;
  }

  write(cell: number, content: Content): void {
    this.#serial += 1;
    this.#pending[cell]?.push({ content, serial: this.#serial });
    this.#dirty.add(cell);
    if (this.random.chance(WRITEBACK_CHANCE)) this.#writeBackOne();
  }

  /** The moment at which a flush is issued: it covers what was written until then. */
  beginFlush(): number {
    return this.#serial;
  }

  /** The flush that began at `begun` completes on `device`. */
  completeFlush(device: number, begun: number): void {
    for (const cell of this.#dirty) {
      if (deviceOfCell(cell) === device) this.#settle(cell, begun);
    }
  }

  /** The flush fails: some pages are written, others are marked clean without having been. */
  failFlush(device: number, begun: number): void {
    for (const cell of this.#dirty) {
      if (deviceOfCell(cell) !== device) continue;
      if (this.random.chance(LOST_PAGE_CHANCE)) this.#lose(cell);
      else this.#settle(cell, begun);
    }
  }

  /** Every cell keeps any of its versions; a block of metadata may also be torn between two. */
  powerCut(): void {
    for (const cell of this.#dirty) {
      const versions = this.#pending[cell] ?? [];
      const kept = this.random.below(versions.length + 1);
      const isTorn =
        cell < METADATA_CELLS && kept < versions.length && this.random.chance(TORN_CHANCE);
      if (isTorn) this.#stable[cell] = TORN;
      else if (kept > 0) this.#stable[cell] = versions[kept - 1]?.content;
      this.#pending[cell] = [];
    }
    this.#dirty.clear();
    this.#lost.clear();
    this.boot += 1;
  }

  /** The block is lost, on the media and in every cache. */
  damage(cell: number): void {
    this.#stable[cell] = TORN;
    this.#pending[cell] = [];
    this.#dirty.delete(cell);
    this.#lost.delete(cell);
  }

  #settle(cell: number, begun: number): void {
    const versions = this.#pending[cell] ?? [];
    const later = versions.findIndex(({ serial }) => serial > begun);
    const covered = later < 0 ? versions.length : later;
    if (covered === 0) return;
    this.#stable[cell] = versions[covered - 1]?.content;
    this.#lost.delete(cell);
    if (later < 0) this.#dirty.delete(cell);
    this.#pending[cell] = versions.slice(covered);
  }

  #lose(cell: number): void {
    this.#lost.set(cell, this.read(cell));
    this.#pending[cell] = [];
    this.#dirty.delete(cell);
  }

  #writeBackOne(): void {
    const cells = [...this.#dirty];
    this.#settle(this.random.pick(cells), this.#serial);
  }
}
