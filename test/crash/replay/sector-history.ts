/** Serials of changes that leave zeros have this bit: they are told apart, although their sectors are not. */
const ZEROS_FLAG = 0x8000_0000;

export function zerosSerial(serial: number): number {
  return serial + ZEROS_FLAG;
}

/** The serial that is read where a change was the last one. */
export function contentOf(serial: number): number {
  return serial >= ZEROS_FLAG ? 0 : serial;
}

/** A change of a range of a volume. */
export interface SectorChange {
  /** Unique; see {@link zerosSerial}. */
  readonly serial: number;
  readonly sector: number;
  readonly count: number;
}

interface TimedEvent {
  readonly position: number;
  /** Changes that may be there from now on, or that must be. */
  readonly kind: "possible" | "certain";
  readonly changes: readonly SectorChange[];
}

/** When changes of a volume began, were acknowledged and became durable, in positions of the device log. */
export class SectorHistory {
  readonly sectors: number;
  readonly #afterPower: TimedEvent[] = [];
  readonly #afterKill: TimedEvent[] = [];
  /** Acknowledged, and in no flush yet. */
  #unflushed: SectorChange[] = [];

  constructor(sectors: number) {
    this.sectors = sectors;
  }

  began(change: SectorChange, position: number): void {
    const event: TimedEvent = { position, kind: "possible", changes: [change] };
    this.#afterPower.push(event);
    this.#afterKill.push(event);
  }

  acknowledged(change: SectorChange, position: number): void {
    this.#afterKill.push({ position, kind: "certain", changes: [change] });
    this.#unflushed.push(change);
  }

  /** A flush begins: returns what is to be called when it has succeeded. */
  flushBegins(): (position: number) => void {
    const changes = this.#unflushed;
    this.#unflushed = [];
    return (position) => {
      this.#afterPower.push({ position, kind: "certain", changes });
    };
  }

  /** One change became durable by itself. */
  durable(change: SectorChange, position: number): void {
    this.#afterPower.push({ position, kind: "certain", changes: [change] });
    this.#unflushed = this.#unflushed.filter((other) => other !== change);
  }

  after(kind: "power" | "kill"): Allowed {
    return new Allowed(this.sectors, kind === "power" ? this.#afterPower : this.#afterKill);
  }
}

/** What the sectors of a volume may be, at positions that only grow. */
export class Allowed {
  /** What is certain: serials. */
  readonly values: Uint32Array;
  /** What may be there instead, by sector, in the order in which it was written. */
  readonly later: Map<number, number[]> = new Map();
  readonly #events: readonly TimedEvent[];
  #next = 0;

  constructor(sectors: number, events: readonly TimedEvent[]) {
    this.values = new Uint32Array(sectors);
    this.#events = events;
  }

  advance(position: number): void {
    for (;;) {
      const event = this.#events[this.#next];
      if (event === undefined || event.position > position) return;
      for (const change of event.changes) {
        if (event.kind === "possible") this.#possible(change);
        else this.#certain(change);
      }
      this.#next += 1;
    }
  }

  /** `found`: a serial as it is read. */
  allows(sector: number, found: number): boolean {
    if (contentOf(this.values[sector] ?? 0) === found) return true;
    return this.later.get(sector)?.some((serial) => contentOf(serial) === found) === true;
  }

  wanted(sector: number): number[] {
    const serials = [this.values[sector] ?? 0, ...(this.later.get(sector) ?? [])];
    return [...new Set(serials.map(contentOf))];
  }

  #possible({ serial, sector, count }: SectorChange): void {
    for (let at = sector; at < sector + count; at += 1) {
      const serials = this.later.get(at);
      if (serials === undefined) this.later.set(at, [serial]);
      else serials.push(serial);
    }
  }

  #certain({ serial, sector, count }: SectorChange): void {
    for (let at = sector; at < sector + count; at += 1) {
      const serials = this.later.get(at);
      const index = serials?.indexOf(serial) ?? -1;
      // A later change of this sector was certain before: then nothing is left of this one.
      if (serials === undefined || index < 0) continue;
      this.values[at] = serial;
      serials.splice(0, index + 1);
      if (serials.length === 0) this.later.delete(at);
    }
  }
}
