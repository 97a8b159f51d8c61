import type { BlockDevice, DeviceTraits } from "../../../src/device/block-device.ts";
import { assert } from "../../../src/util/assert.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";

const PAGE_BYTES = 4096;

/** A device with the content of another one, and changes of its own that leave that one as it is. */
export class CutDevice implements BlockDevice {
  readonly name: string;
  readonly #base: BlockDevice;
  readonly #pages = new Map<number, Buffer>();

  constructor(base: BlockDevice, name: string = base.name) {
    this.#base = base;
    this.name = name;
  }

  get traits(): DeviceTraits {
    return this.#base.traits;
  }

  get capacityBytes(): number {
    return this.#base.capacityBytes;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#base.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes)) return false;
    const first = Math.floor(offsetBytes / PAGE_BYTES);
    const last = Math.floor((offsetBytes + lengthBytes - 1) / PAGE_BYTES);
    if (this.#pages.size === 0) return true;
    for (let page = first; page <= last; page += 1) {
      const content = this.#pages.get(page);
      if (content === undefined) continue;
      const from = Math.max(offsetBytes, page * PAGE_BYTES);
      const to = Math.min(offsetBytes + lengthBytes, (page + 1) * PAGE_BYTES);
      const start = from - page * PAGE_BYTES;
      const part = content.subarray(start, start + to - from);
      buffer.set(part, bufferOffset + from - offsetBytes);
    }
    return true;
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (offsetBytes < 0 || offsetBytes + lengthBytes > this.capacityBytes) return false;
    let at = 0;
    while (at < lengthBytes) {
      const page = Math.floor((offsetBytes + at) / PAGE_BYTES);
      const start = offsetBytes + at - page * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - start, lengthBytes - at);
      const from = bufferOffset + at;
      this.#page(page).set(buffer.subarray(from, from + count), start);
      at += count;
    }
    return true;
  }

  submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes, buffers } = request;
    if (kind === IoKind.discard || kind === IoKind.writeZeroes) {
      this.tryWrite(Buffer.alloc(lengthBytes), 0, lengthBytes, offsetBytes);
    } else if (kind !== IoKind.flush) {
      let at = offsetBytes;
      for (const buffer of buffers) {
        const isDone =
          kind === IoKind.read
            ? this.tryRead(buffer, 0, buffer.length, at)
            : this.tryWrite(buffer, 0, buffer.length, at);
        assert(isDone, "a range lies on the device");
        at += buffer.length;
      }
    }
    request.done(null);
  }

  refreshCapacity(): Promise<number> {
    return Promise.resolve(this.capacityBytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #page(page: number): Buffer {
    let content = this.#pages.get(page);
    if (content === undefined) {
      content = Buffer.alloc(PAGE_BYTES);
      this.#base.tryRead(content, 0, PAGE_BYTES, page * PAGE_BYTES);
      this.#pages.set(page, content);
    }
    return content;
  }
}
