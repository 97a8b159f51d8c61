import { readSector } from "./content.ts";
import { BLOCKS_PER_EXTENT, SECTORS_PER_BLOCK, SECTORS_PER_EXTENT } from "./geometry.ts";
import type { Pool } from "./pool.ts";
import { Violation } from "./violation.ts";

/** Values that one sector may have: one, unless writes to it overlapped. */
type Values = readonly number[];

interface Recent {
  readonly values: Values;
  readonly serial: number;
}

/** What the initiators know of one volume, per sector. */
interface Belief {
  /** What a read may return now. */
  now: Values[];
  /** What the last completed flush covers. */
  floor: Values[];
  /** What was acknowledged since that flush began. */
  recent: Recent[][];
  floorSerial: number;
  /** What a power loss may bring back, until the rollback that replaced it is durable. */
  before: Belief | undefined;
}

/** A change or a read in flight on a range of sectors. */
export interface Effect {
  readonly volume: number;
  readonly first: number;
  readonly count: number;
  /** Undefined: the effect reads, or its values are known at the end only. */
  readonly value: number | undefined;
  readonly overlapping: Set<Effect>;
  /** What it may have read, per sector. */
  readonly seen: Values[];
}

/** What a flush that begins now will cover. */
export interface FlushPoint {
  readonly serial: number;
  readonly floors: ReadonlyMap<number, Values[]>;
}

/** A management operation in flight: it may have happened or not, as a whole. */
export type Pending =
  | { readonly kind: "snap"; readonly pairs: readonly (readonly [number, number])[] }
  | { readonly kind: "delete"; readonly volume: number }
  | { readonly kind: "rollback"; readonly volume: number; readonly source: number }
  | { readonly kind: "resize"; readonly volume: number; readonly extents: number };

/** Stands for the initiators: knows what was acknowledged and flushed, and so what may be read after what. */
export class Oracle {
  readonly #beliefs = new Map<number, Belief>();
  readonly #effects = new Set<Effect>();
  readonly #pending = new Set<Pending>();
  /** Of operations that have taken effect and are not acknowledged: what their copies hold, by volume. */
  readonly #taken = new Map<Pending, ReadonlyMap<number, Belief>>();
  #serial = 0;

  constructor(volumes: readonly number[], extents: number) {
    for (const volume of volumes) {
      const zeros = zerosOf(extents);
      this.#beliefs.set(volume, beliefOf(zeros, 0));
    }
  }

  get volumes(): number[] {
    return [...this.#beliefs.keys()].toSorted((a, b) => a - b);
  }

  extentsOf(volume: number): number {
    return (this.#beliefs.get(volume)?.now.length ?? 0) / SECTORS_PER_EXTENT;
  }

  /** A change to `value`, or a read, begins on these sectors. */
  begin(volume: number, first: number, count: number, value: number | undefined): Effect {
    const now = this.#beliefs.get(volume)?.now.slice(first, first + count) ?? [];
    const effect: Effect = { volume, first, count, value, overlapping: new Set(), seen: now };
    for (const other of this.#effects) {
      if (!overlaps(effect, other)) continue;
      effect.overlapping.add(other);
      other.overlapping.add(effect);
    }
    this.#effects.add(effect);
    return effect;
  }

  /** It ended without having done anything. */
  abandon(effect: Effect): void {
    this.#effects.delete(effect);
  }

  /** The change is acknowledged. */
  acknowledge(effect: Effect): void {
    this.#effects.delete(effect);
    this.#serial += 1;
    const belief = this.#beliefs.get(effect.volume);
    if (belief === undefined) return;
    const last = Math.min(effect.first + effect.count, belief.now.length);
    for (let sector = effect.first; sector < last; sector += 1) {
      const values = this.#valuesAround(effect, sector);
      belief.now[sector] = values;
      belief.recent[sector]?.push({ values, serial: this.#serial });
    }
  }

  #valuesAround(effect: Effect, sector: number): Values {
    const values = effect.value === undefined ? [] : [effect.value];
    for (const other of effect.overlapping) {
      if (other.value !== undefined && covers(other, sector)) values.push(other.value);
    }
    return values;
  }

  /** A read returned these values; a rollback beside it makes them anybody's guess. */
  acknowledgeRead(effect: Effect, got: readonly number[]): void {
    this.#effects.delete(effect);
    if ([...effect.overlapping].some(isWhole)) return;
    for (const [index, value] of got.entries()) {
      const sector = effect.first + index;
      const seen = effect.seen[index] ?? [];
      const isAllowed = seen.includes(value) || this.#valuesAround(effect, sector).includes(value);
      if (!isAllowed) {
        throw new Violation(`a read of volume ${effect.volume} sector ${sector} returned ${value}`);
      }
    }
  }

  beginFlush(): FlushPoint {
    const floors = new Map<number, Values[]>();
    for (const [volume, { now }] of this.#beliefs) floors.set(volume, [...now]);
    return { serial: this.#serial, floors };
  }

  completeFlush({ serial, floors }: FlushPoint): void {
    for (const [volume, latest] of this.#beliefs) {
      const floor = floors.get(volume);
      let belief: Belief | undefined = latest;
      // A flush that began before a rollback says something about what was there then.
      while (belief !== undefined && serial < belief.floorSerial) belief = belief.before;
      if (belief === undefined || floor?.length !== belief.now.length) continue;
      belief.floor = floor;
      belief.floorSerial = serial;
      belief.recent = belief.recent.map((all) => all.filter((recent) => recent.serial > serial));
      belief.before = undefined;
    }
  }

  beginManagement(pending: Pending): Effect | undefined {
    this.#pending.add(pending);
    // The others change no content that a request beside them could see.
    if (pending.kind !== "rollback") return undefined;
    return this.begin(pending.volume, 0, Number.MAX_SAFE_INTEGER, undefined);
  }

  /**
   * A copy takes effect: it holds what is acknowledged now and nothing that comes later. Requests that begin from here
   * on see it, a power loss may still undo it.
   */
  instant(pending: Pending, effect: Effect | undefined): void {
    if (effect !== undefined) this.#effects.delete(effect);
    this.#serial += 1;
    const taken = new Map<number, Belief>();
    for (const [source, copy] of pairsOf(pending)) {
      const belief = beliefOf(this.#nowOf(source), this.#serial);
      taken.set(copy, belief);
      if (pending.kind !== "rollback") continue;
      belief.before = this.#beliefs.get(copy);
      this.#beliefs.set(copy, belief);
    }
    this.#taken.set(pending, taken);
  }

  abandonManagement(pending: Pending, effect: Effect | undefined): void {
    this.#pending.delete(pending);
    this.#taken.delete(pending);
    if (effect !== undefined) this.#effects.delete(effect);
  }

  /** The operation is acknowledged, and durable by that. */
  acknowledgeManagement(pending: Pending, effect: Effect | undefined): void {
    const taken = this.#taken.get(pending);
    this.abandonManagement(pending, effect);
    this.#serial += 1;
    if (pending.kind === "delete") {
      this.#beliefs.delete(pending.volume);
    } else if (pending.kind === "resize") {
      this.#resize(pending.volume, pending.extents);
    } else {
      for (const [copy, belief] of taken ?? []) {
        belief.before = undefined;
        if (pending.kind === "snap") this.#beliefs.set(copy, belief);
      }
    }
  }

  #resize(volume: number, extents: number): void {
    const belief = this.#beliefs.get(volume);
    if (belief === undefined) return;
    const grown = zerosOf(extents).slice(belief.now.length);
    const length = extents * SECTORS_PER_EXTENT;
    belief.now = [...belief.now, ...grown].slice(0, length);
    belief.floor = [...belief.floor, ...grown].slice(0, length);
    belief.recent = belief.now.map((_, sector) => belief.recent[sector] ?? []);
  }

  #nowOf(volume: number): Values[] {
    return this.#beliefs.get(volume)?.now ?? [];
  }

  /** Nothing is in flight: every sector reads as it must. */
  checkLive(pool: Pool): void {
    for (const [volume, belief] of this.#beliefs) {
      const content = contentOf(pool, volume, belief.now.length);
      for (const [sector, value] of content.entries()) {
        if (belief.now[sector]?.includes(value) !== true) {
          throw new Violation(`volume ${volume} sector ${sector} reads ${value} while it runs`);
        }
        if (belief.now[sector].length > 1) belief.now[sector] = [value];
      }
    }
    this.#checkNoGhost(pool);
  }

  /** The pool was opened after a crash: every promise that was made before it must be kept. */
  checkRecovered(pool: Pool, isPowerLoss: boolean): void {
    const replaced = new Set<number>();
    for (const pending of this.#pending) {
      if (this.#settlePending(pool, pending) && pending.kind === "rollback") {
        replaced.add(pending.volume);
      }
    }
    for (const [volume, belief] of this.#beliefs) {
      const content = contentOf(pool, volume, undefined);
      if (!replaced.has(volume)) this.#checkVolume(volume, belief, content, isPowerLoss);
      this.#beliefs.set(volume, beliefOf(content.map(only), this.#serial));
    }
    this.#pending.clear();
    this.#taken.clear();
    this.#effects.clear();
    this.#checkNoGhost(pool);
  }

  /** The volume is what its last rollback made of it, or after a power loss what it was before. */
  #checkVolume(
    volume: number,
    belief: Belief,
    content: readonly number[],
    isPowerLoss: boolean,
  ): void {
    const wrong =
      content.length === belief.now.length
        ? content.findIndex((value, sector) => {
            return !this.#mayBe(volume, belief, sector, value, isPowerLoss);
          })
        : content.length;
    if (wrong < 0) return;
    if (isPowerLoss && belief.before !== undefined) {
      this.#checkVolume(volume, belief.before, content, isPowerLoss);
      return;
    }
    if (content.length !== belief.now.length) {
      throw new Violation(`volume ${volume} has ${content.length / SECTORS_PER_EXTENT} extents`);
    }
    const event = isPowerLoss ? "a power loss" : "a kill";
    throw new Violation(`volume ${volume} sector ${wrong} reads ${content[wrong]} after ${event}`);
  }

  #mayBe(
    volume: number,
    belief: Belief,
    sector: number,
    value: number,
    isPowerLoss: boolean,
  ): boolean {
    for (const effect of this.#effects) {
      if (effect.volume === volume && effect.value === value && covers(effect, sector)) return true;
    }
    if (!isPowerLoss) return belief.now[sector]?.includes(value) === true;
    if (belief.floor[sector]?.includes(value) === true) return true;
    return belief.recent[sector]?.some(({ values }) => values.includes(value)) === true;
  }

  /** Finds out whether an unacknowledged operation has happened, and that it has done so as a whole. */
  #settlePending(pool: Pool, pending: Pending): boolean {
    switch (pending.kind) {
      case "delete":
        if (pool.volumes.has(pending.volume)) return false;
        this.#beliefs.delete(pending.volume);
        return true;
      case "resize":
        if (pool.volumes.get(pending.volume)?.entries.length !== pending.extents) return false;
        this.#resize(pending.volume, pending.extents);
        return true;
      case "rollback":
        // Once it has taken effect, the volume's belief tells both cases apart.
        if (this.#taken.has(pending)) return false;
        return this.#settleRollback(pool, pending.volume, pending.source);
      case "snap":
        return this.#settleSnapshot(pool, pending);
    }
  }

  #settleRollback(pool: Pool, volume: number, source: number): boolean {
    if (!pool.volumes.has(source) || !pool.volumes.has(volume)) return false;
    const content = contentOf(pool, volume, undefined);
    const original = contentOf(pool, source, undefined);
    const isDone =
      original.length === content.length &&
      original.every((value, index) => value === content[index]);
    if (isDone) this.#beliefs.set(volume, beliefOf(content.map(only), this.#serial));
    return isDone;
  }

  #settleSnapshot(pool: Pool, pending: Pending & { kind: "snap" }): boolean {
    const { pairs } = pending;
    const made = pairs.filter(([, copy]) => pool.volumes.has(copy));
    if (made.length === 0) return false;
    if (made.length < pairs.length) throw new Violation("a part of a consistency group exists");
    const taken = this.#taken.get(pending);
    for (const [source, copy] of pairs) {
      const content = contentOf(pool, copy, undefined);
      // Until the instant the source is gated.
      const expected = taken?.get(copy)?.now ?? contentOf(pool, source, undefined).map(only);
      if (content.some((value, sector) => expected[sector]?.includes(value) !== true)) {
        throw new Violation(`snapshot ${copy} differs from what volume ${source} was then`);
      }
      this.#beliefs.set(copy, beliefOf(content.map(only), this.#serial));
    }
    return true;
  }

  #checkNoGhost(pool: Pool): void {
    for (const volume of pool.volumes.keys()) {
      if (!this.#beliefs.has(volume)) throw new Violation(`volume ${volume} was never made`);
    }
  }
}

function zerosOf(extents: number): Values[] {
  return Array.from({ length: extents * SECTORS_PER_EXTENT }, () => [0]);
}

function beliefOf(values: readonly Values[], floorSerial: number): Belief {
  return {
    now: [...values],
    floor: [...values],
    recent: values.map(() => []),
    floorSerial,
    before: undefined,
  };
}

function overlaps(a: Effect, b: Effect): boolean {
  return a.volume === b.volume && a.first < b.first + b.count && b.first < a.first + a.count;
}

function covers(effect: Effect, sector: number): boolean {
  return sector >= effect.first && sector < effect.first + effect.count;
}

function isWhole(effect: Effect): boolean {
  return effect.count === Number.MAX_SAFE_INTEGER;
}

function only(value: number): Values {
  return [value];
}

/** From which volume to which the operation copies. */
function pairsOf(pending: Pending): readonly (readonly [source: number, copy: number])[] {
  if (pending.kind === "snap") return pending.pairs;
  return pending.kind === "rollback" ? [[pending.source, pending.volume]] : [];
}

/** All sectors of a volume as they read; they must be so many where that is known. */
function contentOf(pool: Pool, id: number, sectors: number | undefined): number[] {
  const volume = pool.volumes.get(id);
  if (volume === undefined) throw new Violation(`volume ${id} is lost`);
  const length = volume.entries.length * SECTORS_PER_EXTENT;
  if (length !== (sectors ?? length)) {
    throw new Violation(`volume ${id} has ${volume.entries.length} extents`);
  }
  // Every round reads every volume: plain loops are worth a tenth of the whole walk.
  const content: number[] = [];
  for (const entry of volume.entries) {
    for (let block = 0; block < BLOCKS_PER_EXTENT; block += 1) {
      for (let sector = 0; sector < SECTORS_PER_BLOCK; sector += 1) {
        content.push(readSector(pool, entry, block, sector));
      }
    }
  }
  return content;
}
