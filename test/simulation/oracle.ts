import type { IoErrorKind } from "../../src/util/io-error.ts";
import type { Label, LabelChange } from "./labels.ts";
import { Labels } from "./labels.ts";
import type { Tag } from "./tags.ts";
import { inWordsOf } from "./tags.ts";
import { Violation } from "./violation.ts";

/** Values that a sector may have after one change: one, unless changes overlapped. A value is a write's serial. */
interface Entry {
  readonly values: readonly number[];
  /** When it was acknowledged. */
  readonly serial: number;
  /** It survives a power loss whatever the flushes do: FUA. */
  readonly isStable: boolean;
}

/** What the initiators know of one volume. */
interface Belief {
  /** By sector, oldest first: what a power loss may leave, and last what a read returns. */
  sectors: Entry[][];
  /** Flushes that began at this serial are complete. */
  floorSerial: number;
  /** Numbers of the volumes whose writes it may show when everything else fails: itself and its ancestors. */
  lineage: ReadonlySet<number>;
  /** Nobody has changed it since it was copied. */
  isUntouched: boolean;
}

/** A change or a read in flight. Sectors. */
export interface Effect {
  readonly volume: number;
  readonly first: number;
  readonly count: number;
  /** Undefined: it reads, or replaces everything. */
  readonly value: number | undefined;
  /** It may leave a sector as it is. */
  readonly mayKeep: (sector: number) => boolean;
  readonly begun: number;
  /** When it was acknowledged; Infinity before. */
  ended: number;
  readonly overlapping: Set<Effect>;
  /** What a read may return, by sector from `first`. */
  readonly seen: (readonly number[])[];
}

export type Pending =
  | {
      readonly kind: "create";
      readonly volume: number;
      readonly sectors: number;
      readonly label?: Label;
    }
  | { readonly kind: "snap"; readonly copies: readonly Copy[] }
  | { readonly kind: "delete"; readonly volume: number }
  | {
      readonly kind: "rollback";
      readonly volume: number;
      readonly source: number;
      readonly read: Effect;
      readonly change: Effect;
    }
  | {
      readonly kind: "resize";
      readonly volume: number;
      readonly sectors: number;
      readonly change?: Effect;
    }
  | ({ readonly kind: "label" } & LabelChange);

/** A copy that is made: `read` is what it may read of its source. */
export interface Copy {
  readonly source: number;
  readonly copy: number;
  readonly read: Effect;
  readonly label?: Label;
}

/** What is found of a volume when it is read from end to end. `tags` null: it could not be read. */
export type Found = ReadonlyMap<number, readonly (Tag | null)[]>;

export type Ending = "live" | "kill" | "power";

const never = (): boolean => false;
const ALL = Number.MAX_SAFE_INTEGER;

/** Stands for the initiators: knows what was acknowledged and flushed, and so what may be read after what. */
export class Oracle {
  readonly #beliefs: Map<number, Belief> = new Map();
  readonly #effects: Set<Effect> = new Set();
  readonly #pending: Set<Pending> = new Set();
  readonly #labels: Labels = new Labels();
  /** Groups made since the last check, with the writes that were near them. */
  #instants: { copies: readonly Copy[] }[] = [];
  #serial = 0;
  /** A device lied: only foreign data are a violation from now on. */
  isLenient = false;
  sectorsVerified = 0;

  get volumes(): number[] {
    return [...this.#beliefs.keys()];
  }

  has(volume: number): boolean {
    return this.#beliefs.has(volume);
  }

  sectorsOf(volume: number): number {
    return this.#beliefs.get(volume)?.sectors.length ?? 0;
  }

  begin(
    volume: number,
    first: number,
    count: number,
    value: number | undefined,
    mayKeep: (sector: number) => boolean = never,
  ): Effect {
    const belief = this.#beliefs.get(volume);
    const last = Math.min(first + count, belief?.sectors.length ?? 0);
    const seen: (readonly number[])[] = [];
    if (value === undefined && belief !== undefined) {
      for (let sector = first; sector < last; sector += 1) seen.push(nowOf(belief, sector));
    }
    this.#serial += 1;
    const effect: Effect = {
      volume,
      first,
      count,
      value,
      mayKeep,
      begun: this.#serial,
      ended: Number.POSITIVE_INFINITY,
      overlapping: new Set(),
      seen,
    };
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

  /** The change is acknowledged, or has failed half-way: `isUncertain`. */
  acknowledge(effect: Effect, isStable: boolean, isUncertain = false): void {
    this.#end(effect);
    if (isUncertain) effect.ended = Number.POSITIVE_INFINITY;
    const belief = this.#beliefs.get(effect.volume);
    if (belief === undefined) return;
    belief.isUntouched = false;
    const last = Math.min(effect.first + effect.count, belief.sectors.length);
    const own = effect.value === undefined ? [] : [effect.value];
    // A write that waited for space half-way was outside the gate: a rollback meanwhile has taken away what it had written before.
    const replacements = [...effect.overlapping].filter(isReplacement);
    const changes = [...effect.overlapping].filter(({ value }) => value !== undefined);
    const plain: Entry = { values: own, serial: this.#serial, isStable };
    for (let sector = effect.first; sector < last; sector += 1) {
      const around = changes.filter((other) => covers(other, sector));
      const isReplaced = replacements.some((other) => covers(other, sector));
      const isKept = isUncertain || isReplaced || effect.mayKeep(sector);
      if (around.length === 0 && !isKept) {
        push(belief, sector, plain);
        continue;
      }
      const values = [...own, ...around.map(({ value }) => value ?? 0)];
      if (isKept) values.push(...nowOf(belief, sector));
      push(belief, sector, { values, serial: this.#serial, isStable });
    }
  }

  /**
   * The change was answered with an error. Nothing of it is done where the volume could not be written from the start. Any other
   * may be done in part, by sector: one that waits for space half-way is outside the gate, and finds its volume shrunk or deleted.
   */
  fail(effect: Effect, kind: IoErrorKind): void {
    if (kind === "read-only") this.abandon(effect);
    else this.acknowledge(effect, false, true);
  }

  acknowledgeRead(effect: Effect, tags: readonly Tag[]): void {
    this.#end(effect);
    const belief = this.#beliefs.get(effect.volume);
    if (belief === undefined) return;
    const others = [...effect.overlapping].filter(({ value }) => value !== undefined);
    const replacements = [...effect.overlapping].filter(isReplacement);
    for (const [index, tag] of tags.entries()) {
      const sector = effect.first + index;
      this.sectorsVerified += 1;
      this.#checkPlace(effect.volume, belief, sector, tag);
      if (this.isLenient || replacements.some((other) => covers(other, sector))) continue;
      const around = others.filter((other) => covers(other, sector));
      const seen = effect.seen[index] ?? [];
      if (!seen.includes(tag.serial) && !around.some(({ value }) => value === tag.serial)) {
        throw this.#wrong(effect.volume, sector, tag, "while it runs", seen);
      }
      if (around.length === 0) this.#observe(belief, sector, tag.serial);
    }
  }

  /** Of several values that a sector could have, a read has shown which it is. */
  #observe(belief: Belief, sector: number, value: number): void {
    if (nowOf(belief, sector).length < 2) return;
    // Of now: what is complete by now does not make it stable.
    this.#serial += 1;
    push(belief, sector, { values: [value], serial: this.#serial, isStable: false });
  }

  /** What a flush that begins now will cover. */
  beginFlush(): number {
    return this.#serial;
  }

  completeFlush(begun: number): void {
    for (const belief of this.#beliefs.values()) {
      belief.floorSerial = Math.max(belief.floorSerial, begun);
    }
  }

  beginManagement(pending: Pending): void {
    this.#pending.add(pending);
    // From here on the volume may show what was written to the other.
    const belief = pending.kind === "rollback" ? this.#beliefs.get(pending.volume) : undefined;
    if (pending.kind !== "rollback" || belief === undefined) return;
    belief.lineage = this.#merged(pending.volume, pending.source);
  }

  /** The reading half of a copy. */
  beginCopy(source: number): Effect {
    return this.begin(source, 0, this.sectorsOf(source), undefined);
  }

  /** All of the volume from this sector on becomes something else. */
  beginReplacement(volume: number, first: number = 0): Effect {
    return this.begin(volume, first, ALL, undefined);
  }

  abandonManagement(pending: Pending): void {
    this.#pending.delete(pending);
    if (pending.kind === "snap") for (const { read } of pending.copies) this.abandon(read);
    if (pending.kind === "resize" && pending.change !== undefined) this.abandon(pending.change);
    if (pending.kind !== "rollback") return;
    this.abandon(pending.read);
    this.abandon(pending.change);
  }

  acknowledgeManagement(pending: Pending): void {
    this.#serial += 1;
    this.#pending.delete(pending);
    switch (pending.kind) {
      case "create":
        this.#beliefs.set(pending.volume, this.#blank(pending.volume, pending.sectors));
        this.#setLabel(pending.volume, pending.label);
        return;
      case "delete":
        this.#beliefs.delete(pending.volume);
        this.#labels.delete(pending.volume);
        return;
      case "label":
        this.#labels.change(pending);
        return;
      case "resize":
        if (pending.change !== undefined) this.#end(pending.change);
        this.#resize(pending.volume, pending.sectors);
        return;
      case "rollback":
        this.#end(pending.read);
        this.#end(pending.change);
        this.#replace(pending.volume, pending.source, pending.read, pending.change);
        return;
      case "snap":
        for (const { read } of pending.copies) this.#end(read);
        for (const { source, copy, read, label } of pending.copies) {
          this.#copy(source, copy, read);
          this.#setLabel(copy, label);
        }
        this.#instants.push({ copies: pending.copies });
    }
  }

  #setLabel(volume: number, label: Label | undefined): void {
    if (label !== undefined) this.#labels.set(volume, label);
  }

  #end(effect: Effect): void {
    this.#serial += 1;
    effect.ended = this.#serial;
    this.#effects.delete(effect);
  }

  #blank(volume: number, sectors: number): Belief {
    const zeros: Entry = { values: [0], serial: this.#serial, isStable: true };
    return {
      sectors: Array.from({ length: sectors }, () => [zeros]),
      floorSerial: this.#serial,
      lineage: new Set([volume]),
      isUntouched: false,
    };
  }

  /** What a copy that reads beside writes may have got. */
  #read(read: Effect, others: ReadonlySet<Effect>): Entry[][] {
    const around = [...read.overlapping, ...others].filter(({ value }) => value !== undefined);
    const shared = new Map<number, Entry>();
    return read.seen.map((seen, sector) => {
      const near = around.filter((other) => covers(other, sector));
      const only = seen[0];
      if (near.length === 0 && seen.length === 1 && only !== undefined) {
        let entry = shared.get(only);
        entry ??= { values: seen, serial: this.#serial, isStable: true };
        shared.set(only, entry);
        return [entry];
      }
      const values = [...seen, ...near.map(({ value }) => value ?? 0)];
      return [{ values, serial: this.#serial, isStable: true }];
    });
  }

  #copy(source: number, copy: number, read: Effect): void {
    const lineage = new Set([...(this.#beliefs.get(source)?.lineage ?? [source]), copy]);
    const sectors = this.#read(read, new Set());
    this.#beliefs.set(copy, { sectors, floorSerial: this.#serial, lineage, isUntouched: true });
  }

  #replace(volume: number, source: number, read: Effect, change: Effect): void {
    const lineage = this.#merged(volume, source);
    const sectors = this.#read(read, change.overlapping);
    this.#beliefs.set(volume, { sectors, floorSerial: this.#serial, lineage, isUntouched: false });
  }

  #merged(volume: number, source: number): ReadonlySet<number> {
    const own = this.#beliefs.get(volume)?.lineage ?? [];
    return new Set([...own, ...(this.#beliefs.get(source)?.lineage ?? [])]);
  }

  #resize(volume: number, sectors: number): void {
    const belief = this.#beliefs.get(volume);
    if (belief === undefined) return;
    const grown = this.#blank(volume, Math.max(0, sectors - belief.sectors.length)).sectors;
    belief.sectors = [...belief.sectors, ...grown].slice(0, sectors);
  }

  /** Before {@link check}, which forgets what was on its way. */
  checkLabels(found: ReadonlyMap<number, Label>, ending: Ending): void {
    if (this.isLenient) return;
    const pending = [...this.#pending].filter((each) => each.kind === "label");
    this.#labels.check(found, pending, ending);
  }

  /** Everything was read, with nothing in flight. */
  check(found: Found, ending: Ending): void {
    for (const pending of this.#pending) this.#settlePending(found, pending);
    for (const volume of found.keys()) {
      if (!this.#beliefs.has(volume) && !this.isLenient) {
        throw new Violation(`volume ${volume} was never made, or is deleted`);
      }
    }
    for (const [volume, belief] of this.#beliefs) {
      const tags = this.#tagsOf(found, volume, belief.sectors.length);
      if (tags === undefined) continue;
      for (const [sector, tag] of tags.entries()) {
        if (tag === null) continue;
        this.sectorsVerified += 1;
        this.#checkPlace(volume, belief, sector, tag);
        if (this.isLenient) continue;
        if (!this.#mayBe(volume, belief, sector, tag.serial, ending)) {
          throw this.#wrong(volume, sector, tag, wordsOf(ending), nowOf(belief, sector));
        }
      }
      this.#adopt(volume, belief, tags, ending);
    }
    for (const instant of this.#instants) this.#checkInstant(found, instant.copies);
    this.#instants = [];
    if (ending === "live") return;
    this.#pending.clear();
    this.#effects.clear();
  }

  #tagsOf(found: Found, volume: number, sectors: number): readonly (Tag | null)[] | undefined {
    const tags = found.get(volume);
    if (this.isLenient && tags?.length !== sectors) return undefined;
    if (tags === undefined) throw new Violation(`volume ${volume} is lost`);
    if (tags.length !== sectors) {
      throw new Violation(`volume ${volume} has ${tags.length} sectors instead of ${sectors}`);
    }
    return tags;
  }

  /** What was read is what there is from now on. */
  #adopt(volume: number, belief: Belief, tags: readonly (Tag | null)[], ending: Ending): void {
    if (ending === "live") {
      for (const [sector, tag] of tags.entries()) {
        if (tag !== null) this.#observe(belief, sector, tag.serial);
      }
      return;
    }
    const { lineage, isUntouched } = belief;
    const shared = new Map<number, Entry>();
    const sectors = tags.map((tag, sector) => {
      if (tag === null) return [{ ...belief.sectors[sector]!.at(-1)!, isStable: true }];
      let entry = shared.get(tag.serial);
      entry ??= { values: [tag.serial], serial: this.#serial, isStable: true };
      shared.set(tag.serial, entry);
      return [entry];
    });
    this.#beliefs.set(volume, { sectors, floorSerial: this.#serial, lineage, isUntouched });
  }

  #mayBe(volume: number, belief: Belief, sector: number, value: number, ending: Ending): boolean {
    if (nowOf(belief, sector).includes(value)) return true;
    if (ending === "live") return false;
    for (const effect of this.#effects) {
      if (effect.volume === volume && effect.value === value && covers(effect, sector)) return true;
    }
    if (ending !== "power") return false;
    const entries = belief.sectors[sector] ?? [];
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const entry = entries[index]!;
      if (entry.values.includes(value)) return true;
      if (isFloor(entry, belief)) return false;
    }
    return false;
  }

  /** Whatever happened, a sector shows what was written to it, and to no other. */
  #checkPlace(volume: number, belief: Belief, sector: number, tag: Tag): void {
    if (tag.serial === 0) return;
    if (tag.serial > 0 && tag.lba === sector && belief.lineage.has(tag.volume)) return;
    throw new Violation(`volume ${volume} sector ${sector} shows foreign data: ${inWordsOf(tag)}`);
  }

  #wrong(
    volume: number,
    sector: number,
    tag: Tag,
    when: string,
    expected: readonly number[],
  ): Violation {
    const values = expected.map((value) => (value === 0 ? "zeros" : `#${value}`)).join(" or ");
    return new Violation(
      `volume ${volume} sector ${sector} reads ${inWordsOf(tag)} ${when}, last was ${values}`,
    );
  }

  /** Finds out whether an unacknowledged operation has happened, and that it has done so as a whole. */
  #settlePending(found: Found, pending: Pending): void {
    switch (pending.kind) {
      case "create":
        if (found.has(pending.volume)) this.acknowledgeManagement(pending);
        return;
      case "delete":
        if (!found.has(pending.volume)) this.acknowledgeManagement(pending);
        return;
      case "label":
        return;
      case "resize":
        if (found.get(pending.volume)?.length === pending.sectors) {
          this.acknowledgeManagement(pending);
        }
        return;
      case "rollback":
        this.#settleRollback(found, pending);
        return;
      case "snap":
        this.#settleSnapshot(found, pending);
    }
  }

  #settleRollback(found: Found, pending: Extract<Pending, { kind: "rollback" }>): void {
    const { volume, source, read, change } = pending;
    const tags = found.get(volume);
    const belief = this.#beliefs.get(volume);
    if (tags === undefined || belief === undefined) return;
    belief.lineage = this.#merged(volume, source);
    if (tags.length !== read.seen.length) return;
    const after = this.#read(read, change.overlapping);
    const isDone = tags.every(
      (tag, sector) => tag === null || after[sector]?.[0]?.values.includes(tag.serial) === true,
    );
    if (isDone) this.acknowledgeManagement(pending);
  }

  #settleSnapshot(found: Found, pending: Extract<Pending, { kind: "snap" }>): void {
    const made = pending.copies.filter(({ copy }) => found.has(copy));
    if (made.length === 0) return;
    if (made.length < pending.copies.length && !this.isLenient) {
      throw new Violation("a part of a consistency group exists");
    }
    this.acknowledgeManagement(pending);
  }

  /**
   * A group shows one instant: a write that had ended before another began is in it if the other is.
   * Only of copies that nobody has written to since.
   */
  #checkInstant(found: Found, copies: readonly Copy[]): void {
    if (this.isLenient) return;
    let firstMissing = Number.POSITIVE_INFINITY;
    let lastShown = 0;
    for (const { copy, read } of copies) {
      const tags = found.get(copy);
      if (tags === undefined || this.#beliefs.get(copy)?.isUntouched !== true) continue;
      const changes = [...read.overlapping].filter(({ value }) => value !== undefined);
      for (const change of changes) {
        if (change.value === 0) continue;
        const shown = tags.some((tag) => tag?.serial === change.value);
        if (shown) lastShown = Math.max(lastShown, change.begun);
        else if (isAlone(change, changes)) firstMissing = Math.min(firstMissing, change.ended);
      }
    }
    if (firstMissing < lastShown) {
      throw new Violation("the copies of a group are of different instants");
    }
  }
}

function isAlone(change: Effect, changes: readonly Effect[]): boolean {
  return !changes.some((other) => other !== change && overlaps(change, other));
}

function isFloor(entry: Entry, belief: Belief): boolean {
  return entry.isStable || entry.serial <= belief.floorSerial;
}

function nowOf(belief: Belief, sector: number): readonly number[] {
  return belief.sectors[sector]?.at(-1)?.values ?? [];
}

function push(belief: Belief, sector: number, entry: Entry): void {
  const entries = belief.sectors[sector];
  if (entries === undefined) return;
  // What lies below the floor cannot come back.
  let floor = entries.length - 1;
  while (floor > 0 && !isFloor(entries[floor]!, belief)) floor -= 1;
  if (floor > 0) entries.splice(0, floor);
  entries.push(entry);
}

/** It replaces everything from some sector on: no write is as long. */
function isReplacement({ count }: Effect): boolean {
  return count === ALL;
}

function overlaps(a: Effect, b: Effect): boolean {
  return a.volume === b.volume && a.first < b.first + b.count && b.first < a.first + a.count;
}

function covers(effect: Effect, sector: number): boolean {
  return sector >= effect.first && sector < effect.first + effect.count;
}

function wordsOf(ending: Ending): string {
  if (ending === "live") return "while it runs";
  return ending === "kill" ? "after a kill" : "after a power loss";
}
