import { assert, unreachable } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { changesMedium, IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice, DeviceTraits } from "./block-device.ts";
import { MEMORY_DEVICE_BYTES_MAX } from "./limits.ts";
import { WriteStop } from "./write-stop.ts";

/** Memory is taken in pieces of this size when they are first written. */
const CHUNK_BYTES = 1024 * 1024;

const TRAITS: DeviceTraits = {
  logicalBlockBytes: 1,
  physicalBlockBytes: 4096,
  optimalIoBytes: 0,
  discardGranularityBytes: 4096,
  discardZeroes: true,
  readOnly: false,
  rotational: false,
};

/** A disk in this process's memory: sparse, and gone with the process. Everything completes at once. */
export class MemoryDevice implements BlockDevice {
  readonly name: string;
  readonly traits: DeviceTraits = TRAITS;
  readonly #chunks: (Buffer | undefined)[] = [];
  readonly #stop = new WriteStop();
  #capacityBytes: number;
  #isClosed = false;

  constructor(capacityBytes: number, name: string = "memory") {
    assert(Number.isSafeInteger(capacityBytes), "a capacity is a whole number of bytes");
    assert(capacityBytes >= 0 && capacityBytes <= MEMORY_DEVICE_BYTES_MAX, "a capacity has limits");
    this.name = name;
    this.#capacityBytes = capacityBytes;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** How much memory is taken, for tests and reports. */
  get allocatedBytes(): number {
    let count = 0;
    for (const chunk of this.#chunks) count += chunk === undefined ? 0 : 1;
    return count * CHUNK_BYTES;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#holds(offsetBytes, lengthBytes)) return false;
    let at = offsetBytes;
    let into = bufferOffset;
    const end = bufferOffset + lengthBytes;
    while (into < end) {
      const index = Math.floor(at / CHUNK_BYTES);
      const start = at - index * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, end - into);
      const chunk = this.#chunks[index];
      if (chunk === undefined) buffer.fill(0, into, into + length);
      else chunk.copy(buffer, into, start, start + length);
      at += length;
      into += length;
    }
    return true;
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (this.#stop.error !== null || !this.#holds(offsetBytes, lengthBytes)) return false;
    let at = offsetBytes;
    let from = bufferOffset;
    const end = bufferOffset + lengthBytes;
    while (from < end) {
      const index = Math.floor(at / CHUNK_BYTES);
      const start = at - index * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, end - from);
      const chunk = (this.#chunks[index] ??= Buffer.alloc(CHUNK_BYTES));
      chunk.set(buffer.subarray(from, from + length), start);
      at += length;
      from += length;
    }
    return true;
  }

  submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes } = request;
    if (this.#isClosed) {
      request.done(new IoError("gone", "it is closed", { object: this.name }));
      return;
    }
    if (kind !== IoKind.flush && !this.#holds(offsetBytes, lengthBytes)) {
      const context = { object: this.name, offsetBytes };
      request.done(new IoError("range", "the range lies past the end", context));
      return;
    }
    if (changesMedium(kind) && this.#stop.error !== null) {
      request.done(this.#stop.error);
      return;
    }
    switch (kind) {
      case IoKind.read:
      case IoKind.write:
        this.#move(request, kind === IoKind.read);
        break;
      case IoKind.discard:
      case IoKind.writeZeroes:
        this.#clear(offsetBytes, lengthBytes);
        break;
      case IoKind.flush:
        break;
      default:
        unreachable(kind);
    }
    request.done(null);
  }

  refuseWrites(error: IoError): void {
    this.#stop.set(error);
  }

  /** No flush of memory fails. */
  onFlushFailure(): () => void {
    return () => undefined;
  }

  /** Sets a new capacity, as growing a real disk would; what lies past it is lost. */
  resize(capacityBytes: number): void {
    assert(Number.isSafeInteger(capacityBytes), "a capacity is a whole number of bytes");
    assert(capacityBytes >= 0 && capacityBytes <= MEMORY_DEVICE_BYTES_MAX, "a capacity has limits");
    if (capacityBytes < this.#capacityBytes) {
      this.#clear(capacityBytes, this.#capacityBytes - capacityBytes);
    }
    this.#capacityBytes = capacityBytes;
    this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(capacityBytes / CHUNK_BYTES));
  }

  refreshCapacity(): Promise<number> {
    return Promise.resolve(this.#capacityBytes);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#chunks.length = 0;
    return Promise.resolve();
  }

  #holds(offsetBytes: number, lengthBytes: number): boolean {
    return !this.#isClosed && offsetBytes >= 0 && offsetBytes + lengthBytes <= this.#capacityBytes;
  }

  #move(request: IoRequest, reading: boolean): void {
    let at = request.offsetBytes;
    for (const buffer of request.buffers) {
      if (reading) this.tryRead(buffer, 0, buffer.length, at);
      else this.tryWrite(buffer, 0, buffer.length, at);
      at += buffer.length;
    }
    assert(at === request.offsetBytes + request.lengthBytes, "buffers are as long as the request");
  }

  #clear(offsetBytes: number, lengthBytes: number): void {
    let at = offsetBytes;
    const end = offsetBytes + lengthBytes;
    while (at < end) {
      const index = Math.floor(at / CHUNK_BYTES);
      const start = at - index * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, end - at);
      if (length === CHUNK_BYTES) this.#chunks[index] = undefined;
      else this.#chunks[index]?.fill(0, start, start + length);
      at += length;
    }
  }
}
