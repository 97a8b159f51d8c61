import type { BlockDevice, DeviceTraits } from "../../src/device/block-device.ts";
import { IoError, type IoErrorKind } from "../../src/util/io-error.ts";
import { changesMedium, IoKind, type IoRequest } from "../../src/util/io-request.ts";
import type { SeededRandom } from "../../src/util/random.ts";
import type { FaultQueue } from "./faults.ts";
import type { Media } from "./media.ts";
import { PAGE_BYTES } from "./media.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** What a device needs to know of the machine that it is in. */
export interface DiskHost {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly faults: FaultQueue;
  readonly pagesMs: number;
  /** The process is opening the pool. */
  readonly isOpening: boolean;
  /** The process asks for something that changes the medium. */
  changing(name: string): void;
  /** A place where the process may be killed. */
  moment(): void;
}

export interface DiskPersonality {
  readonly name: string;
  readonly index: number;
  /** The traits promise zeros after a discard; otherwise it leaves garbage. */
  readonly discardZeroes: boolean;
  /** The file system below needs room for what is written over, too. */
  readonly copiesOnWrite: boolean;
  /** How often the fast ways refuse. */
  refusals(): number;
  /** Only writes of metadata get lost or go astray: of data, nobody could tell. */
  isMetadata(offsetBytes: number, data: Uint8Array): boolean;
  isJournal(offsetBytes: number): boolean;
  isPage(offsetBytes: number, data: Uint8Array): boolean;
}

/** For mutations: what is wrong with all devices. */
export const breakage = {
  flushNothing: false,
  flushOneDevice: false,
  /** Writes to the journal are done some time after they were acknowledged. */
  journalIsLate: false,
  /** Writes to the journal are not done while a pool is being opened. */
  openingAppendsNothing: false,
  /** Writes to the journal for which there is no room are acknowledged. */
  journalRoomIgnored: false,
  /** Nobody is refused, whatever the pool says. */
  refusesNothing: false,
};

const STUCK_MS = 30_000;
const DONE_AT_ONCE_CHANCE = 0.1;

interface InFlight {
  readonly request: IoRequest;
  readonly begun: number;
  isApplied: boolean;
}

/** A block device as one process has it open. The process may die; what it wrote is in the {@link Media}. */
export class SimDisk implements BlockDevice {
  readonly name: string;
  readonly traits: DeviceTraits;
  capacityBytes: number;
  readonly #media: Media;
  readonly #life: Life;
  readonly #host: DiskHost;
  readonly #personality: DiskPersonality;
  readonly #inFlight: Set<InFlight> = new Set();
  #isClosed = false;
  #writeRefusal: IoError | null = null;
  flushes = 0;

  constructor(media: Media, life: Life, host: DiskHost, personality: DiskPersonality) {
    this.name = personality.name;
    this.#media = media;
    this.#life = life;
    this.#host = host;
    this.#personality = personality;
    this.capacityBytes = media.capacityBytes;
    this.traits = {
      logicalBlockBytes: 1,
      physicalBlockBytes: PAGE_BYTES,
      optimalIoBytes: 0,
      discardGranularityBytes: PAGE_BYTES,
      discardZeroes: personality.discardZeroes,
      readOnly: false,
      rotational: false,
    };
  }

  tryRead(buffer: Uint8Array, bufferOffset: number, lengthBytes: number, at: number): boolean {
    if (this.#isRefused(at, lengthBytes, "readError")) return false;
    this.#media.read(buffer, bufferOffset, lengthBytes, at);
    return true;
  }

  tryWrite(buffer: Uint8Array, bufferOffset: number, lengthBytes: number, at: number): boolean {
    this.#host.changing(this.name);
    if (this.#writeRefusal !== null) return false;
    if (this.#isRefused(at, lengthBytes, "writeError")) return false;
    if (this.#host.faults.awaits("noSpace", this.#personality.index)) return false;
    this.#host.moment();
    if (this.#life.isDead) return false;
    const data = buffer.subarray(bufferOffset, bufferOffset + lengthBytes);
    if (breakage.journalIsLate && this.#personality.isJournal(at)) {
      const copy = Buffer.from(data);
      const apply = (): void => this.#apply(IoKind.write, at, [copy]);
      this.#host.scheduler.schedule(this.#life, 2, apply);
      return true;
    }
    this.#apply(IoKind.write, at, [data]);
    this.#host.moment();
    return true;
  }

  submit(request: IoRequest): void {
    if (this.#life.isDead) return;
    const { offsetBytes, lengthBytes, kind } = request;
    if (changesMedium(kind)) this.#host.changing(this.name);
    if (this.#isClosed) return request.done(this.#error("gone", "it is closed", offsetBytes));
    if (kind !== IoKind.flush && !this.#holds(offsetBytes, lengthBytes)) {
      return request.done(this.#error("range", "the range lies past the end", offsetBytes));
    }
    const { random, scheduler } = this.#host;
    const operation: InFlight = { request, begun: this.#media.serial, isApplied: false };
    this.#inFlight.add(operation);
    if (kind !== IoKind.read) this.#host.moment();
    if (this.#life.isDead) return;
    const isStuck = this.#isHit("stuck");
    const isSlow = this.#isSlow(request);
    if (!isStuck && !isSlow && random.chance(DONE_AT_ONCE_CHANCE) && kind !== IoKind.flush) {
      this.#start(operation);
      this.#complete(operation);
      return;
    }
    const usualMs = isSlow ? this.#host.pagesMs : random.pick([0, 0.1, 0.1, 1, 1, 20]);
    const delayMs = isStuck ? STUCK_MS : (usualMs * random.below(100)) / 100;
    const startMs = (delayMs * random.below(101)) / 100;
    scheduler.schedule(this.#life, startMs, () => this.#start(operation));
    // A flush takes at least as long as it takes something else to get between its start and its end.
    const endMs = Math.max(startMs, delayMs);
    scheduler.schedule(this.#life, endMs + 0.000_1, () => this.#complete(operation));
  }

  #isSlow({ kind, offsetBytes, buffers }: IoRequest): boolean {
    const [data] = buffers;
    if (this.#host.pagesMs === 0 || kind !== IoKind.write || data === undefined) return false;
    return this.#personality.isPage(offsetBytes, data);
  }

  refuseWrites(error: IoError): void {
    if (!breakage.refusesNothing) this.#writeRefusal ??= error;
  }

  /** It begins no flushes of its own. */
  onFlushFailure(): () => void {
    return () => undefined;
  }

  refreshCapacity(): Promise<number> {
    this.capacityBytes = this.#media.capacityBytes;
    return Promise.resolve(this.capacityBytes);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /**
   * The process was killed: writes that the kernel had begun may be there in part, up to a page; a discard is waited for
   * by whoever opens the device next, whether it happened or not.
   */
  abandon(): void {
    for (const { request, isApplied } of this.#inFlight) {
      if (isApplied || !this.#host.random.chance(0.7)) continue;
      this.#applyPart(request);
    }
    this.#inFlight.clear();
  }

  #applyPart(request: IoRequest): void {
    const { random } = this.#host;
    const { kind, offsetBytes, lengthBytes } = request;
    if (kind === IoKind.read || kind === IoKind.flush) return;
    if (kind !== IoKind.write) return this.#applyRange(request);
    const firstPage = Math.floor(offsetBytes / PAGE_BYTES);
    const pages = Math.ceil((offsetBytes + lengthBytes) / PAGE_BYTES) - firstPage;
    const kept = random.below(pages + 1);
    const bytes = Math.min(lengthBytes, (firstPage + kept) * PAGE_BYTES - offsetBytes);
    if (bytes <= 0) return;
    this.#media.write(Buffer.concat(request.buffers), 0, bytes, offsetBytes);
  }

  #start(operation: InFlight): void {
    const { request } = operation;
    if (this.#refusalOf(request) !== null) return;
    if (request.kind === IoKind.flush || request.kind === IoKind.read || request.abandoned) return;
    if (this.#isOutOfSpace(request) || this.#host.faults.awaits("writeError", this.#index)) return;
    operation.isApplied = true;
    this.#carryOut(request);
    this.#host.moment();
  }

  #complete(operation: InFlight): void {
    if (this.#life.isDead) return;
    const { request } = operation;
    const error = this.#finish(operation);
    this.#inFlight.delete(operation);
    // Who is killed before it hears of a failed flush leaves nothing that says so: nobody could know better afterwards.
    if (error === null) this.#host.moment();
    if (!this.#life.isDead) request.done(error);
  }

  #finish({ request, begun, isApplied }: InFlight): IoError | null {
    const { kind, offsetBytes, lengthBytes } = request;
    if (kind === IoKind.read) {
      if (this.#isHit("readError")) return this.#error("medium", "made-up read error", offsetBytes);
      let at = offsetBytes;
      for (const buffer of request.buffers) {
        this.#media.read(buffer, 0, buffer.length, at);
        at += buffer.length;
      }
      return null;
    }
    if (kind === IoKind.flush) {
      this.flushes += 1;
      if (this.#isHit("flushError")) {
        this.#media.failFlush(begun, this.#host.random);
        return this.#error("medium", "made-up flush error", -1);
      }
      if (this.#isHit("cacheLost")) {
        this.#media.powerCut(this.#host.random);
        return this.#error("medium", "made-up loss of the cache", -1);
      }
      const { flushNothing, flushOneDevice } = breakage;
      if (!flushNothing && !(flushOneDevice && this.#index > 0)) this.#media.flush(begun);
      return null;
    }
    if (!isApplied) {
      const refusal = this.#refusalOf(request);
      if (refusal !== null) return refusal;
      if (request.abandoned) return this.#error("gone", "abandoned", offsetBytes);
      if (this.#isOutOfSpace(request) && this.#isHit("noSpace")) {
        if (breakage.journalRoomIgnored && this.#personality.isJournal(offsetBytes)) return null;
        return this.#error("space", "made-up full disk", offsetBytes);
      }
      if (this.#isHit("writeError")) {
        this.#applyPart(request);
        return this.#error("medium", "made-up write error", offsetBytes);
      }
      this.#carryOut(request);
    }
    if (request.forceUnitAccess) this.#media.flushRange(offsetBytes, lengthBytes);
    return null;
  }

  #refusalOf({ kind }: IoRequest): IoError | null {
    return changesMedium(kind) ? this.#writeRefusal : null;
  }

  /** What waited until now begins. */
  #carryOut(request: IoRequest): void {
    this.#host.changing(this.name);
    this.#applyRange(request);
  }

  #applyRange(request: IoRequest): void {
    this.#apply(request.kind, request.offsetBytes, request.buffers, request.lengthBytes);
  }

  #apply(kind: IoKind, at: number, buffers: readonly Uint8Array[], lengthBytes = 0): void {
    const isDropped = breakage.openingAppendsNothing && this.#host.isOpening;
    if (isDropped && this.#personality.isJournal(at)) return;
    if (kind === IoKind.write) {
      const data = buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers);
      const canLie = this.#personality.isMetadata(at, data);
      if (canLie && this.#isHit("lostWrite")) return;
      const isAstray = canLie && this.#isHit("misdirectedWrite");
      const place = isAstray ? this.#elsewhere(at, data.length) : at;
      this.#media.write(data, 0, data.length, place);
    } else if (kind === IoKind.writeZeroes || this.#personality.discardZeroes) {
      this.#media.write(null, 0, lengthBytes, at);
    } else if (this.#host.random.chance(0.8)) {
      // Nothing is promised of a discarded range: not even that it keeps what it reads as now.
      this.#media.write(this.#host.random.bytes(lengthBytes), 0, lengthBytes, at);
    }
  }

  /** Where a write of metadata lands that goes astray: on other metadata. */
  #elsewhere(at: number, lengthBytes: number): number {
    const pages = this.#media
      .pages()
      .map((page) => page * PAGE_BYTES)
      .filter((place) => place !== at && place + lengthBytes <= this.capacityBytes)
      .filter((place) => this.#areMetadata(place, lengthBytes));
    return pages.length === 0 ? at : this.#host.random.pick(pages);
  }

  #areMetadata(place: number, lengthBytes: number): boolean {
    for (let at = place; at < place + lengthBytes; at += PAGE_BYTES) {
      const content = this.#media.page(Math.floor(at / PAGE_BYTES));
      if (!this.#personality.isMetadata(at, content)) return false;
    }
    return true;
  }

  #isOutOfSpace({ kind, offsetBytes, lengthBytes }: IoRequest): boolean {
    if (kind !== IoKind.write && kind !== IoKind.writeZeroes) return false;
    if (!this.#host.faults.awaits("noSpace", this.#index)) return false;
    if (this.#personality.copiesOnWrite) return true;
    const last = Math.floor((offsetBytes + lengthBytes - 1) / PAGE_BYTES);
    for (let page = Math.floor(offsetBytes / PAGE_BYTES); page <= last; page += 1) {
      if (!this.#media.isAllocated(page)) return true;
    }
    return false;
  }

  #isRefused(at: number, lengthBytes: number, fault: "readError" | "writeError"): boolean {
    if (this.#life.isDead || this.#isClosed || !this.#holds(at, lengthBytes)) return true;
    if (this.#host.faults.awaits(fault, this.#index)) return true;
    return this.#host.random.chance(this.#personality.refusals());
  }

  get #index(): number {
    return this.#personality.index;
  }

  #isHit(kind: Parameters<FaultQueue["hits"]>[0]): boolean {
    return this.#host.faults.hits(kind, this.#index);
  }

  #holds(at: number, lengthBytes: number): boolean {
    return at >= 0 && at + lengthBytes <= this.capacityBytes;
  }

  #error(kind: IoErrorKind, message: string, offsetBytes: number): IoError {
    return new IoError(kind, message, { object: this.name, offsetBytes });
  }
}
