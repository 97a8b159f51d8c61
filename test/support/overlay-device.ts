import type { BlockDevice } from "../../src/device/block-device.ts";
import { DeviceFilter } from "../../src/device/device-filter.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";

const BLOCK_BYTES = 4096;

/** A device over another one that is never changed: what is written lies in blocks above it, and can be thrown away. */
export class OverlayDevice extends DeviceFilter {
  /** By their number on the device. */
  readonly #blocks = new Map<number, Buffer>();
  #capacityBytes: number;

  constructor(below: BlockDevice, name: string = below.name) {
    super(below, name);
    this.#capacityBytes = below.capacityBytes;
  }

  override get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Everything is as below again. */
  reset(): void {
    this.#blocks.clear();
    this.#capacityBytes = this.below.capacityBytes;
  }

  cutTo(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
  }

  byteAt(offsetBytes: number): number {
    const byte = Buffer.alloc(1);
    this.tryRead(byte, 0, 1, offsetBytes);
    return byte.readUInt8(0);
  }

  /** A copy of 4 KiB. */
  block(offsetBytes: number): Buffer {
    const block = Buffer.alloc(BLOCK_BYTES);
    this.tryRead(block, 0, BLOCK_BYTES, offsetBytes);
    return block;
  }

  put(offsetBytes: number, bytes: Uint8Array): void {
    this.tryWrite(bytes, 0, bytes.length, offsetBytes);
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#isWithin(offsetBytes, lengthBytes)) return false;
    if (!super.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes)) return false;
    if (this.#blocks.size === 0) return true;
    const end = offsetBytes + lengthBytes;
    for (let at = offsetBytes - (offsetBytes % BLOCK_BYTES); at < end; at += BLOCK_BYTES) {
      const block = this.#blocks.get(at / BLOCK_BYTES);
      if (block === undefined) continue;
      const from = Math.max(at, offsetBytes);
      const to = Math.min(at + BLOCK_BYTES, end);
      buffer.set(block.subarray(from - at, to - at), bufferOffset + from - offsetBytes);
    }
    return true;
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#isWithin(offsetBytes, lengthBytes)) return false;
    const end = offsetBytes + lengthBytes;
    for (let at = offsetBytes - (offsetBytes % BLOCK_BYTES); at < end; at += BLOCK_BYTES) {
      const from = Math.max(at, offsetBytes);
      const to = Math.min(at + BLOCK_BYTES, end);
      const start = bufferOffset + from - offsetBytes;
      this.#blockAt(at).set(buffer.subarray(start, start + to - from), from - at);
    }
    return true;
  }

  override submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes } = request;
    if (!this.#isWithin(offsetBytes, lengthBytes)) {
      super.submit(request);
      return;
    }
    if (kind === IoKind.discard || kind === IoKind.writeZeroes) {
      this.tryWrite(Buffer.alloc(lengthBytes), 0, lengthBytes, offsetBytes);
    } else if (kind !== IoKind.flush) {
      let at = offsetBytes;
      for (const buffer of request.buffers) {
        if (kind === IoKind.read) this.tryRead(buffer, 0, buffer.length, at);
        else this.tryWrite(buffer, 0, buffer.length, at);
        at += buffer.length;
      }
    }
    request.done(null);
  }

  /** The one below is somebody else's. */
  override close(): Promise<void> {
    return Promise.resolve();
  }

  #isWithin(offsetBytes: number, lengthBytes: number): boolean {
    return offsetBytes >= 0 && offsetBytes + lengthBytes <= this.#capacityBytes;
  }

  #blockAt(at: number): Buffer {
    let block = this.#blocks.get(at / BLOCK_BYTES);
    if (block === undefined) {
      block = Buffer.alloc(BLOCK_BYTES);
      super.tryRead(block, 0, BLOCK_BYTES, at);
      this.#blocks.set(at / BLOCK_BYTES, block);
    }
    return block;
  }
}
