import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../../src/device/device-filter.ts";
import type { MemoryDevice } from "../../../../src/device/memory-device.ts";
import { IoKind, type IoRequest } from "../../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../../src/util/random.ts";
import { copyOf } from "../../pool/support/pool-bench.ts";

/** What reached a device, in its order. A flush counts for everything before it. */
export type DeviceEvent =
  | { readonly kind: "write"; readonly offsetBytes: number; readonly bytes: Buffer }
  | { readonly kind: "zero"; readonly offsetBytes: number; readonly lengthBytes: number }
  | { readonly kind: "flush" };

interface Range {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The sectors that a power loss keeps or drops one by one. */
const TORN_BYTES = 4096;

/** A device that remembers all that is done to it, so that every crash can be played; several may share one log. */
export class LoggedDevice extends DeviceFilter {
  readonly log: DeviceLog;
  readonly reads: Range[] = [];

  constructor(below: BlockDevice, log: DeviceLog) {
    super(below, below.name);
    this.log = log;
    log.devices.push(this);
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    this.reads.push({ offsetBytes, lengthBytes });
    return super.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.log.isOff) {
      const bytes = Buffer.from(buffer.subarray(bufferOffset, bufferOffset + lengthBytes));
      this.log.add(this, { kind: "write", offsetBytes, bytes });
    }
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes } = request;
    if (this.log.isOff) {
      super.submit(request);
      return;
    }
    if (kind === IoKind.read) this.reads.push({ offsetBytes, lengthBytes });
    else if (kind === IoKind.flush) this.log.add(this, { kind: "flush" });
    else if (kind === IoKind.write) {
      const bytes = Buffer.concat(request.buffers);
      this.log.add(this, { kind: "write", offsetBytes, bytes });
      // A write with this flag is stable by itself, and says nothing about others: taken for a flush it would prove too much.
      if (request.forceUnitAccess) this.log.pinLast();
    } else this.log.add(this, { kind: "zero", offsetBytes, lengthBytes });
    super.submit(request);
  }
}

/** The events of some devices in one order. */
export class DeviceLog {
  readonly devices: LoggedDevice[] = [];
  /** Nothing is remembered: for what would be too much. */
  isOff = false;
  readonly events: { readonly device: LoggedDevice; readonly event: DeviceEvent }[] = [];
  /** Events that are stable without a flush. */
  readonly #pinned = new Set<number>();
  #start: MemoryDevice[] = [];

  add(device: LoggedDevice, event: DeviceEvent): void {
    this.events.push({ device, event });
  }

  pinLast(): void {
    this.#pinned.add(this.events.length - 1);
  }

  /** Everything up to here is stable: crashes are played from here on. */
  async begin(): Promise<void> {
    this.#start = await Promise.all(this.devices.map(copyOf));
    this.events.length = 0;
    this.#pinned.clear();
    for (const device of this.devices) device.reads.length = 0;
  }

  writes(): { device: LoggedDevice; offsetBytes: number; lengthBytes: number }[] {
    return this.events.flatMap(({ device, event }) =>
      event.kind === "write"
        ? [{ device, offsetBytes: event.offsetBytes, lengthBytes: event.bytes.length }]
        : [],
    );
  }

  get flushes(): number {
    return this.events.filter(({ event }) => event.kind === "flush").length;
  }

  /** The devices as of the first `count` events: all of it after a kill; after a power loss what `random` leaves of what no flush covers. */
  async imagesAt(count: number, random: SeededRandom | null): Promise<MemoryDevice[]> {
    const images = await Promise.all(this.#start.map(copyOf));
    for (const [index, device] of this.devices.entries()) {
      const image = images[index];
      if (image !== undefined) this.#replay(device, image, count, random);
    }
    return images;
  }

  #replay(
    device: LoggedDevice,
    image: MemoryDevice,
    count: number,
    random: SeededRandom | null,
  ): void {
    const events = this.events.slice(0, count);
    const flushed = events.findLastIndex(
      (each) => each.device === device && each.event.kind === "flush",
    );
    for (const [index, each] of events.entries()) {
      if (each.device !== device || each.event.kind === "flush") continue;
      const isStable = random === null || index < flushed || this.#pinned.has(index);
      applyEvent(image, each.event, isStable ? null : random);
    }
  }
}

function applyEvent(
  image: MemoryDevice,
  event: Exclude<DeviceEvent, { kind: "flush" }>,
  random: SeededRandom | null,
): void {
  const bytes = event.kind === "write" ? event.bytes : Buffer.alloc(event.lengthBytes);
  for (let at = 0; at < bytes.length; at += TORN_BYTES) {
    if (random !== null && random.chance(0.5)) continue;
    const length = Math.min(TORN_BYTES, bytes.length - at);
    image.tryWrite(bytes, at, length, event.offsetBytes + at);
  }
}
