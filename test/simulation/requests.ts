import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import { PoolError } from "../../src/thin/pool-error.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind, IoRequest } from "../../src/util/io-request.ts";
import { newMedia, numberOf, uuidOf } from "./driver.ts";
import type { Operation, OperationKind } from "./history.ts";
import type { Label } from "./labels.ts";
import type { Machine } from "./machine.ts";
import { asViolation } from "./machine.ts";
import { SECTOR_BYTES } from "./media.ts";
import type { Effect, Oracle, Pending } from "./oracle.ts";
import type { Profile } from "./profiles.ts";
import type { Life } from "./scheduler.ts";
import { readTags, tagSectors } from "./tags.ts";
import { Turns } from "./turns.ts";
import { Violation } from "./violation.ts";

const DEVICES_MAX = 4;
const LARGE_SECTORS_MAX = 1024;
const MIB = 1024 * 1024;

/** Errors that a healthy device below cannot excuse. */
const EXCUSED_IO = new Set(["space", "space-pending", "range", "gone", "read-only"]);
const EXCUSED_POOL = new Set(["space", "missing", "exists", "busy", "invalid"]);

/** The devices, in the order of operations: no volume has this number. */
const DEVICES = 0;

/** A management operation: the volumes that it changes, those that it reads, and what it will have done. */
interface Task {
  readonly changed?: readonly number[];
  readonly read?: readonly number[];
  /** Called when all that comes before it on these volumes has ended. */
  readonly begin?: () => Pending;
  readonly run: () => Promise<unknown>;
}

/** One request to a volume, and what is done at its acknowledgement. */
class SimRequest extends IoRequest {
  readonly #acknowledge: (error: IoError | null) => void;

  constructor(kind: IoKind, acknowledge: (error: IoError | null) => void) {
    super();
    this.kind = kind;
    this.#acknowledge = acknowledge;
  }

  override done(error: IoError | null): void {
    this.#acknowledge(error);
  }
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** The initiators and the operators of one opened pool. */
export class Clients {
  readonly #machine: Machine;
  readonly #oracle: Oracle;
  readonly #pool: Pool;
  readonly #profile: Profile;
  readonly #life: Life;
  readonly #turns: Turns = new Turns();
  /** Volumes that are about to be made, and to be deleted. */
  #making = 0;
  #removing = 0;
  /** A device has done wrong, or may have. */
  isExcused = false;
  /** The pool has stopped. */
  isFailed = false;
  operations = 0;
  readonly #numbers: { lastVolume: number; lastSerial: number };

  constructor(
    machine: Machine,
    oracle: Oracle,
    pool: Pool,
    profile: Profile,
    numbers: { lastVolume: number; lastSerial: number },
  ) {
    this.#machine = machine;
    this.#oracle = oracle;
    this.#pool = pool;
    this.#profile = profile;
    this.#life = machine.life;
    this.#numbers = numbers;
    pool.subscribe((event) => {
      if (event.kind === "failed") this.isFailed = true;
    });
  }

  /** Starts the operation; resolves when it is over, whatever came of it. Throws a Violation at once or later. */
  async run(operation: Operation): Promise<void> {
    try {
      this.operations += 1;
      await this.#dispatch(operation);
    } catch (error) {
      throw asViolation(error);
    }
  }

  #dispatch(operation: Operation): Promise<void> {
    const { kind } = operation;
    switch (kind) {
      case "write":
      case "writeLarge":
      case "writeFua":
      case "unmap":
      case "unmapLarge":
      case "writeZeroes":
      case "read":
        return this.#data(operation, kind);
      case "flush":
        return this.#flush(operation);
      case "snapshot":
        return this.#snapshot(operation, 1, true);
      case "clone":
        return this.#snapshot(operation, 1, false);
      case "group":
        return this.#snapshot(operation, 2 + (operation.choice % 3), operation.choice % 5 > 0);
      case "remove":
        return this.#remove(operation);
      case "rollback":
        return this.#rollback(operation);
      case "resize":
        return this.#resize(operation);
      case "create":
        return this.#create(operation);
      case "attributes":
        return this.#attributes(operation);
      case "rename":
        return this.#rename(operation);
      case "checkpoint":
        return this.#manage({ run: () => this.#pool.checkpoint() });
      case "sync":
        return this.#sync();
      case "fence":
        return this.#fence();
      case "addDevice":
        return this.#addDevice(operation);
      case "growDevice":
        return this.#growDevice(operation);
    }
  }

  /** The pool is another host's from now on: this one must not even try to write. */
  #fence(): Promise<void> {
    this.#pool.fence(new PoolError("foreign", "another host has taken the pool over"));
    this.#machine.isFenced = true;
    this.isExcused = true;
    return Promise.resolve();
  }

  #choose(draw: number): number | undefined {
    const volumes = this.#oracle.volumes;
    return volumes[draw % Math.max(1, volumes.length)];
  }

  /** The engine's volume; undefined where it is just being deleted. */
  #volume(number: number): ThinVolume | undefined {
    try {
      return this.#pool.volume(uuidOf(number));
    } catch (error) {
      if (error instanceof PoolError && error.kind === "missing") return undefined;
      throw error;
    }
  }

  #range({ kind, place, length, choice }: Operation, sectors: number): Range | undefined {
    if (sectors === 0) return undefined;
    const extent = this.#profile.extentBytes / SECTOR_BYTES;
    const most = Math.min(sectors, 3 * extent);
    const styles: [alignment: number, length: number][] = [
      [1, 1 + (length % 8)],
      [1, 1],
      [8, 8],
      [8, 8 * (1 + (length % 4))],
      [extent, extent],
      [extent, extent * (1 + (length % 3))],
      [1, 1 + (length % most)],
    ];
    // Most unmaps are of whole extents: the others do nothing.
    const isWhole = kind === "unmap" && choice % 4 > 0;
    const [alignment, wanted] = styles[isWhole ? 5 : choice % styles.length]!;
    const first = Math.floor((place % sectors) / alignment) * alignment;
    return { first, count: Math.min(wanted, sectors - first) };
  }

  async #data(operation: Operation, kind: OperationKind): Promise<void> {
    const number = this.#choose(operation.volume);
    const volume = number === undefined ? undefined : this.#volume(number);
    if (number === undefined || volume === undefined) return;
    const sectors = this.#oracle.sectorsOf(number);
    const isLarge = kind === "writeLarge" || kind === "unmapLarge";
    const range = isLarge ? large(operation, sectors) : this.#range(operation, sectors);
    if (range === undefined) return;
    if (kind === "read") return this.#read(number, volume, range, operation.choice);
    if (kind === "writeZeroes") return this.#clear(number, volume, range, kind);
    if (kind === "unmap" || kind === "unmapLarge")
      return this.#clear(number, volume, range, "unmap");
    return this.#write(number, volume, range, operation.choice, kind === "writeFua");
  }

  #write(
    number: number,
    volume: ThinVolume,
    { first, count }: Range,
    choice: number,
    isFua: boolean,
  ): Promise<void> {
    const serial = (this.#numbers.lastSerial += 1);
    const data = tagSectors(number, first, count, serial);
    const effect = this.#oracle.begin(number, first, count, serial);
    const isQuick = !isFua && choice % 3 > 0;
    if (isQuick && volume.tryWrite(data, 0, data.length, first * SECTOR_BYTES)) {
      this.#checkFailed(this.isFailed);
      this.#acknowledge(effect, null, false);
      data.fill(0xee);
      return Promise.resolve();
    }
    const acknowledged = (error: IoError | null): void => {
      this.#acknowledge(effect, error, isFua);
      // What the engine still reads of it now, it reads too late.
      data.fill(0xee);
    };
    const parts = split(data, choice);
    const quick = isQuick ? data : null;
    return this.#submit(volume, IoKind.write, { first, count }, parts, isFua, acknowledged, quick);
  }

  #clear(
    number: number,
    volume: ThinVolume,
    range: Range,
    kind: "unmap" | "writeZeroes",
  ): Promise<void> {
    const { first, count } = range;
    const extent = this.#profile.extentBytes / SECTOR_BYTES;
    // Of extents that it covers in part, an unmap may leave all as it is.
    const mayKeep = (sector: number): boolean => {
      const start = Math.floor(sector / extent) * extent;
      return kind === "unmap" && (start < first || start + extent > first + count);
    };
    const effect = this.#oracle.begin(number, first, count, 0, mayKeep);
    const ioKind = kind === "unmap" ? IoKind.discard : IoKind.writeZeroes;
    return this.#submit(volume, ioKind, range, [], false, (error) => {
      this.#acknowledge(effect, error, false);
    });
  }

  #read(
    number: number,
    volume: ThinVolume,
    { first, count }: Range,
    choice: number,
  ): Promise<void> {
    const data = Buffer.alloc(count * SECTOR_BYTES, 0xdd);
    const effect = this.#oracle.begin(number, first, count, undefined);
    if (choice % 3 > 0 && volume.tryRead(data, 0, data.length, first * SECTOR_BYTES)) {
      this.#checkFailed(this.isFailed);
      if (!this.#life.isDead) this.#oracle.acknowledgeRead(effect, readTags(data));
      return Promise.resolve();
    }
    const parts = split(data, choice);
    return this.#submit(volume, IoKind.read, { first, count }, parts, false, (error) => {
      if (error !== null) {
        this.#oracle.abandon(effect);
        this.#judge(error);
      } else {
        this.#oracle.acknowledgeRead(effect, readTags(data));
      }
    });
  }

  #flush({ volume: draw }: Operation): Promise<void> {
    const number = this.#choose(draw);
    const volume = number === undefined ? undefined : this.#volume(number);
    if (volume === undefined) return Promise.resolve();
    const begun = this.#oracle.beginFlush();
    return this.#submit(volume, IoKind.flush, { first: 0, count: 0 }, [], false, (error) => {
      if (error === null) this.#oracle.completeFlush(begun);
      else this.#judge(error);
    });
  }

  async #sync(): Promise<void> {
    const begun = this.#oracle.beginFlush();
    const run = async (): Promise<void> => {
      await this.#pool.sync();
      if (!this.#life.isDead) this.#oracle.completeFlush(begun);
    };
    await this.#manage({ run });
  }

  /**
   * Submits; resolves after the acknowledgement, which is where `acknowledged` is called. `quick`: the bytes of a write that may be begun within
   * the call.
   */
  #submit(
    volume: ThinVolume,
    kind: IoKind,
    range: Range,
    buffers: Uint8Array[],
    isFua: boolean,
    acknowledged: (error: IoError | null) => void,
    quick: Buffer | null = null,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let isDone = false;
      let isDoneWell = false;
      const hadFailed = this.isFailed;
      const request = new SimRequest(kind, (error) => {
        if (this.#life.isDead) return;
        try {
          if (isDone) throw new Violation("a request is done twice");
          isDone = true;
          isDoneWell = error === null;
          // A read that comes back later than the failure may show what the device has lost.
          if (error === null)
            this.#checkFailed(hadFailed || (this.isFailed && kind === IoKind.read));
          acknowledged(error);
          resolve();
        } catch (thrown) {
          reject(asViolation(thrown));
        }
      });
      request.offsetBytes = range.first * SECTOR_BYTES;
      request.lengthBytes = range.count * SECTOR_BYTES;
      request.forceUnitAccess = isFua;
      if (quick !== null && volume.tryBegin(quick, 0, request)) {
        if (isDoneWell)
          reject(new Violation("a write counts before the call that begins it returns"));
        // The buffer is its owner's again.
        quick.fill(0xee);
        return;
      }
      request.buffers = buffers;
      volume.submit(request);
    });
  }

  /** A pool that has failed does nothing more, though its devices may work again (rule F). */
  #checkFailed(hadFailed: boolean): void {
    if (hadFailed && !this.#life.isDead) throw new Violation("a pool that has failed goes on");
  }

  #acknowledge(effect: Effect, error: IoError | null, isStable: boolean): void {
    if (this.#life.isDead) return;
    if (error === null) {
      this.#oracle.acknowledge(effect, isStable);
      return;
    }
    this.#judge(error);
    // What became of it in a pool that has stopped, the recovery shows.
    if (error.kind === "failed" || this.isFailed) return;
    this.#oracle.fail(effect, error.kind);
  }

  #judge(error: IoError): void {
    if (error.kind === "failed") this.isFailed = true;
    if (this.isExcused || EXCUSED_IO.has(error.kind)) return;
    throw new Violation(`nothing is wrong, and yet: IoError ${error.kind}: ${error.message}`);
  }

  /**
   * A management operation. Others on the same volumes may be on their way: those that were asked for before it come before it, whatever
   * becomes of them.
   */
  async #manage({ changed = [], read = [], begin, run }: Task): Promise<void> {
    let pending: Pending | undefined;
    let isMissing = false;
    const hadFailed = this.isFailed;
    const turn = this.#turns.ask(changed, read, () => {
      const volumes = [...changed, ...read].filter((volume) => volume !== DEVICES);
      isMissing = volumes.some((volume) => !this.#oracle.has(volume));
      pending = begin?.();
      if (pending !== undefined) this.#oracle.beginManagement(pending);
    });
    try {
      await run();
      if (this.#life.isDead) return;
      this.#checkFailed(hadFailed);
      if (!turn.hasBegun) throw new Violation("an operation overtakes one on the same volume");
      if (isMissing) throw new Violation("an operation on a volume that is deleted is done");
      if (pending !== undefined) this.#oracle.acknowledgeManagement(pending);
    } catch (error) {
      if (this.#life.isDead) return;
      if (!(error instanceof PoolError) && !(error instanceof IoError)) throw error;
      this.#judgeManagement(error, isMissing);
      const isInDoubt = this.isFailed || error.kind === "failed";
      if (pending !== undefined && !isInDoubt) this.#oracle.abandonManagement(pending);
    }
    this.#turns.end(turn);
  }

  #judgeManagement(error: PoolError | IoError, isMissing: boolean): void {
    if (error.kind === "failed") this.isFailed = true;
    const isExcused = error instanceof PoolError ? EXCUSED_POOL : EXCUSED_IO;
    const isWrong = error.kind === "missing" && !isMissing;
    if (this.isExcused || (isExcused.has(error.kind) && !isWrong)) return;
    throw new Violation(`nothing is wrong, and yet: ${error.name} ${error.kind}: ${error.message}`);
  }

  async #snapshot(operation: Operation, wanted: number, readOnly: boolean): Promise<void> {
    const all = this.#oracle.volumes;
    const start = operation.volume % Math.max(1, all.length);
    const count = Math.min(wanted, all.length, this.#room);
    const sources = Array.from({ length: count }, (_, index) => all[(start + index) % all.length]!);
    const volumes = sources.flatMap((source) => this.#volume(source) ?? []);
    if (count < 1 || volumes.length < count) return;
    const made = sources.map((source) => ({ source, copy: (this.#numbers.lastVolume += 1) }));
    const specs = made.map(({ copy }, index) => ({
      source: volumes[index]!,
      name: `v${copy}`,
      uuid: uuidOf(copy),
      readOnly,
    }));
    this.#making += count;
    await this.#manage({
      read: sources,
      begin: () => ({
        kind: "snap",
        copies: made.map(({ source, copy }) => ({
          source,
          copy,
          read: this.#oracle.beginCopy(source),
          label: { name: `v${copy}`, reservedBytes: 0, quotaBytes: 0 },
        })),
      }),
      run: () => this.#pool.snapshot(specs),
    });
    this.#making -= count;
  }

  get #room(): number {
    return Math.max(0, this.#profile.volumesMax - this.#oracle.volumes.length - this.#making);
  }

  /** A volume to be changed. */
  #target(draw: number): { number: number; volume: ThinVolume } | undefined {
    const number = this.#choose(draw);
    const volume = number === undefined ? undefined : this.#volume(number);
    return number === undefined || volume === undefined ? undefined : { number, volume };
  }

  async #remove({ volume: draw }: Operation): Promise<void> {
    const target = this.#target(draw);
    if (target === undefined || this.#oracle.volumes.length - this.#removing < 2) return;
    const { number, volume } = target;
    this.#removing += 1;
    await this.#manage({
      changed: [number],
      begin: () => ({ kind: "delete", volume: number }),
      run: () => this.#pool.delete(volume),
    });
    this.#removing -= 1;
  }

  async #rollback({ volume: draw, other }: Operation): Promise<void> {
    const [to, from] = [this.#target(draw), this.#target(other)];
    if (to === undefined || from === undefined || to.number === from.number) return;
    await this.#manage({
      changed: [to.number],
      read: [from.number],
      begin: () => ({
        kind: "rollback",
        volume: to.number,
        source: from.number,
        read: this.#oracle.beginCopy(from.number),
        change: this.#oracle.beginReplacement(to.number),
      }),
      run: () => this.#pool.rollback(to.volume, from.volume),
    });
  }

  async #resize({ volume: draw, length }: Operation): Promise<void> {
    const target = this.#target(draw);
    if (target === undefined) return;
    const { number, volume } = target;
    const extent = this.#profile.extentBytes / SECTOR_BYTES;
    const unit = length % 3 === 0 ? 1 : extent;
    const most = (this.#profile.volumeExtents * extent) / unit;
    const sectors = (1 + (Math.floor(length / 3) % most)) * unit;
    await this.#manage({
      changed: [number],
      begin: () => {
        const kept = Math.min(sectors, this.#oracle.sectorsOf(number));
        const change = this.#oracle.beginReplacement(number, kept);
        return { kind: "resize", volume: number, sectors, change };
      },
      run: () => this.#pool.resize(volume, sectors * SECTOR_BYTES, true),
    });
  }

  async #create({ length, choice }: Operation): Promise<void> {
    if (this.#room < 1) return;
    const volume = (this.#numbers.lastVolume += 1);
    const extents = 1 + (length % this.#profile.volumeExtents);
    const sizeBytes = extents * this.#profile.extentBytes;
    const reservedBytes = choice % 4 === 0 ? Math.floor(sizeBytes / 2) : 0;
    const sectors = sizeBytes / SECTOR_BYTES;
    const label = { name: `v${volume}`, reservedBytes, quotaBytes: 0 };
    this.#making += 1;
    await this.#manage({
      begin: () => ({ kind: "create", volume, sectors, label }),
      run: () => this.#pool.createVolume({ ...label, uuid: uuidOf(volume), sizeBytes }),
    });
    this.#making -= 1;
  }

  async #attributes({ volume: draw, length, choice }: Operation): Promise<void> {
    const target = this.#target(draw);
    if (target === undefined) return;
    const { number, volume } = target;
    const { extentBytes, volumeExtents } = this.#profile;
    const bytes = (length % volumeExtents) * extentBytes;
    const changes = [
      { reservedBytes: Math.min(bytes, volume.capacityBytes), quotaBytes: 0 },
      { reservedBytes: 0 },
      { reservedBytes: 0, quotaBytes: bytes + extentBytes },
      { quotaBytes: 0 },
    ];
    const label = changes[choice % changes.length]!;
    await this.#manage({
      changed: [number],
      begin: () => ({ kind: "label", volume: number, label }),
      run: () => this.#pool.setAttributes(volume, label),
    });
  }

  async #rename({ volume: draw, choice }: Operation): Promise<void> {
    const target = this.#target(draw);
    if (target === undefined) return;
    const { number, volume } = target;
    const name = `n${choice}-${number}`;
    await this.#manage({
      changed: [number],
      begin: () => ({ kind: "label", volume: number, label: { name } }),
      run: () => this.#pool.rename(volume, name),
    });
  }

  async #addDevice({ choice }: Operation): Promise<void> {
    if (this.#machine.media.length >= DEVICES_MAX) return;
    const isZero = choice % 2 === 0;
    const disk = this.#machine.addDisk(newMedia(this.#profile, isZero));
    const uuid = uuidOf(2 ** 40 + this.#machine.media.length);
    const run = (): Promise<void> => this.#pool.addDevice(disk, { uuid, isZero });
    await this.#manage({ changed: [DEVICES], run });
  }

  async #growDevice({ other, choice }: Operation): Promise<void> {
    const index = other % this.#profile.devices;
    const media = this.#machine.media[index];
    if (media === undefined) return;
    if (media.capacityBytes < this.#profile.deviceBytes + 4 * MIB) {
      media.capacityBytes += (1 + (choice % 2)) * MIB;
    }
    await this.#manage({ changed: [DEVICES], run: () => this.#pool.growDevice(index) });
  }

  /** The volumes that the pool has, by number. */
  found(): Map<number, ThinVolume> {
    return new Map(
      this.#pool.volumes().map((volume) => [numberOf(volume.attributes.uuid), volume]),
    );
  }

  /** What they have beside their content, by number. */
  labels(): Map<number, Label> {
    return new Map(
      this.#pool.volumes().map(({ attributes }) => {
        const { uuid, name, reservedBytes, quotaBytes } = attributes;
        return [numberOf(uuid), { name, reservedBytes, quotaBytes }];
      }),
    );
  }
}

/** A good part of the volume at once. */
function large({ place, length }: Operation, sectors: number): Range | undefined {
  if (sectors === 0) return undefined;
  const first = place % 2 === 0 ? 0 : place % sectors;
  return { first, count: Math.min(sectors - first, LARGE_SECTORS_MAX, 1 + (length % sectors)) };
}

/** The buffer in some pieces of whole sectors. */
function split(data: Buffer, choice: number): Uint8Array[] {
  const sectors = data.length / SECTOR_BYTES;
  if (choice % 5 > 1 || sectors < 2) return [data];
  const cut = (1 + (choice % (sectors - 1))) * SECTOR_BYTES;
  return [data.subarray(0, cut), data.subarray(cut)];
}
