import { assert } from "../../src/util/assert.ts";
import type { SeededRandom } from "../../src/util/random.ts";

export const PAGE_BYTES = 4096;
export const SECTOR_BYTES = 512;
const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

/** What reads as zeros, shared by all: contents of pages are never changed in place. */
const ZEROS: Buffer = Buffer.alloc(PAGE_BYTES);

/** A page as one write left it in the cache. */
interface Version {
  readonly serial: number;
  /** The sectors of the page that it touched. */
  readonly first: number;
  readonly end: number;
  readonly content: Buffer;
}

/** What a power loss leaves of the writes that no flush covers. */
export type CutStyle = "each" | "writes" | "prefix" | "none" | "all" | "page";
export const CUT_STYLES: readonly CutStyle[] = ["each", "writes", "prefix", "none", "all", "page"];

/**
 * What outlives the process: the medium and the cache before it. A write is visible at once and stable after a flush
 * that began later. Until then each of its sectors may be any of those that were written there since.
 */
export class Media {
  capacityBytes: number;
  /** The largest unit that a power loss does not tear: 512 or 4096 bytes. */
  readonly atomicBytes: number;
  #stable: Map<number, Buffer> = new Map();
  #pending: Map<number, Version[]> = new Map();
  /** Pages that a failed flush marked clean: they read well until the machine starts anew. */
  #lost: Map<number, Buffer> = new Map();
  #serial = 0;

  constructor(capacityBytes: number, atomicBytes: number) {
    assert(capacityBytes % PAGE_BYTES === 0, "the simulated medium has whole pages");
    this.capacityBytes = capacityBytes;
    this.atomicBytes = atomicBytes;
  }

  get serial(): number {
    return this.#serial;
  }

  get pendingPages(): number {
    return this.#pending.size;
  }

  clone(): Media {
    const copy = new Media(this.capacityBytes, this.atomicBytes);
    copy.#stable = new Map(this.#stable);
    copy.#pending = new Map([...this.#pending].map(([page, versions]) => [page, [...versions]]));
    copy.#lost = new Map(this.#lost);
    copy.#serial = this.#serial;
    return copy;
  }

  /** Whether the file system has blocks for the page. */
  isAllocated(page: number): boolean {
    return this.#stable.has(page) || this.#pending.has(page) || this.#lost.has(page);
  }

  /** The pages that hold something. */
  pages(): number[] {
    const pages = new Set([...this.#stable.keys(), ...this.#pending.keys(), ...this.#lost.keys()]);
    return [...pages].toSorted((a, b) => a - b);
  }

  page(page: number): Buffer {
    return this.#pending.get(page)?.at(-1)?.content ?? this.#lost.get(page) ?? this.#under(page);
  }

  read(into: Uint8Array, intoOffset: number, lengthBytes: number, offsetBytes: number): void {
    for (let done = 0; done < lengthBytes;) {
      const at = offsetBytes + done;
      const start = at % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - start, lengthBytes - done);
      const content = this.page(Math.floor(at / PAGE_BYTES));
      into.set(content.subarray(start, start + length), intoOffset + done);
      done += length;
    }
  }

  /** One write; `data` null: zeros. */
  write(data: Uint8Array | null, dataOffset: number, lengthBytes: number, at: number): void {
    this.#serial += 1;
    for (let done = 0; done < lengthBytes;) {
      const offset = at + done;
      const start = offset % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - start, lengthBytes - done);
      const page = Math.floor(offset / PAGE_BYTES);
      let content = ZEROS;
      if (data !== null || length < PAGE_BYTES) {
        content = Buffer.from(this.page(page));
        if (data === null) content.fill(0, start, start + length);
        else content.set(data.subarray(dataOffset + done, dataOffset + done + length), start);
      }
      const first = Math.floor(start / SECTOR_BYTES);
      const end = Math.ceil((start + length) / SECTOR_BYTES);
      this.#add(page, { serial: this.#serial, first, end, content });
      done += length;
    }
  }

  /** Behind everybody's back, on the medium itself: bit rot. */
  corrupt(page: number, change: (content: Buffer) => void): void {
    const content = Buffer.from(this.page(page));
    change(content);
    this.#pending.delete(page);
    this.#lost.delete(page);
    this.#stable.set(page, content);
  }

  /** What was written up to the serial `begun` is stable. */
  flush(begun: number): void {
    for (const page of this.#pending.keys()) this.#settle(page, begun);
  }

  /** A write with FUA: its pages are stable. */
  flushRange(offsetBytes: number, lengthBytes: number): void {
    const last = Math.floor((offsetBytes + lengthBytes - 1) / PAGE_BYTES);
    for (let page = Math.floor(offsetBytes / PAGE_BYTES); page <= last; page += 1) {
      this.#settle(page, this.#serial);
    }
  }

  /** The flush fails: some pages are written, the others are marked clean without having been. */
  failFlush(begun: number, random: SeededRandom): void {
    const lostChance = random.pick([0.1, 0.5, 1]);
    for (const [page, versions] of this.#pending) {
      if (random.chance(lostChance)) {
        if ((versions[0]?.serial ?? 0) > begun) continue;
        this.#lost.set(page, this.page(page));
        this.#pending.delete(page);
      } else {
        this.#settle(page, begun);
      }
    }
  }

  /** Writes of the kernel's own accord. */
  writeBack(random: SeededRandom): void {
    for (const page of this.#pending.keys()) {
      if (random.chance(0.5)) this.#settle(page, this.#serial);
    }
  }

  /** The machine stops in good order: what is in the cache, and not lost to an error, reaches the medium. */
  shutDown(): void {
    this.flush(this.#serial);
    this.#lost.clear();
  }

  /** The power goes. */
  powerCut(random: SeededRandom): void {
    const style = random.pick(CUT_STYLES);
    const serials = [...this.#pending.values()].flatMap((all) => all.map(({ serial }) => serial));
    const newest = Math.max(0, ...serials);
    const oldest = Math.min(newest, ...serials);
    const cut = oldest - 1 + random.below(newest - oldest + 2);
    const dropChance = random.pick([0.1, 0.5, 0.9]);
    const dropped = new Set([...new Set(serials)].filter(() => random.chance(dropChance)));
    const isKept = ({ serial }: Version): boolean => {
      if (style === "all") return true;
      if (style === "none") return false;
      return style === "prefix" ? serial <= cut : !dropped.has(serial);
    };
    for (const [page, versions] of this.#pending) {
      const whole = style === "page" || (style === "each" && this.atomicBytes === PAGE_BYTES);
      if (whole) this.#keep(page, versions[random.below(versions.length + 1) - 1]);
      else if (style === "each") this.#tear(page, versions, random);
      else this.#keepThose(page, versions, isKept);
    }
    this.#pending.clear();
    this.#lost.clear();
  }

  #keep(page: number, version: Version | undefined): void {
    if (version !== undefined) this.#stable.set(page, version.content);
  }

  /** Each sector is what any of the writes to it left there, or what it was before. */
  #tear(page: number, versions: readonly Version[], random: SeededRandom): void {
    const content = Buffer.from(this.#under(page));
    for (let sector = 0; sector < SECTORS_PER_PAGE; sector += 1) {
      const own = versions.filter(({ first, end }) => sector >= first && sector < end);
      const kept = own[random.below(own.length + 1) - 1];
      if (kept === undefined) continue;
      const start = sector * SECTOR_BYTES;
      kept.content.copy(content, start, start, start + SECTOR_BYTES);
    }
    this.#stable.set(page, content);
  }

  /** The latest of the writes that reached the medium, sector by sector. */
  #keepThose(page: number, versions: readonly Version[], isKept: (v: Version) => boolean): void {
    const kept = versions.filter(isKept);
    if (kept.length === 0) return;
    // The cache writes whole pages: with an atomic page, the last one that was written is all there is.
    if (this.atomicBytes === PAGE_BYTES) {
      this.#keep(page, kept.at(-1));
      return;
    }
    const content = Buffer.from(this.#under(page));
    for (const version of kept) {
      const start = version.first * SECTOR_BYTES;
      version.content.copy(content, start, start, version.end * SECTOR_BYTES);
    }
    this.#stable.set(page, content);
  }

  #under(page: number): Buffer {
    return this.#stable.get(page) ?? ZEROS;
  }

  #add(page: number, version: Version): void {
    const versions = this.#pending.get(page);
    if (versions === undefined) this.#pending.set(page, [version]);
    else versions.push(version);
  }

  #settle(page: number, begun: number): void {
    const versions = this.#pending.get(page);
    if (versions === undefined) return;
    let covered = 0;
    while (covered < versions.length && versions[covered]!.serial <= begun) covered += 1;
    if (covered === 0) return;
    this.#stable.set(page, versions[covered - 1]!.content);
    this.#lost.delete(page);
    if (covered === versions.length) this.#pending.delete(page);
    else this.#pending.set(page, versions.slice(covered));
  }
}
