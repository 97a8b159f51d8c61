import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../../src/device/device-filter.ts";
import { IoError } from "../../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../../src/util/io-request.ts";
import { copyOf } from "./pool-bench.ts";

const PAGE_BYTES = 4096;

/** Like a sparse image on a file system that may be full: what was never written, or was given back, takes room then. */
export class BrimDevice extends DeviceFilter {
  isFull = false;
  /** Which writes take room although they were written before, as where the file system never writes in place. */
  takesRoom: (offsetBytes: number, data: Uint8Array) => boolean = () => false;
  /** Writes that found no room. */
  refused = 0;
  /** Flushes fail, once. */
  failsFlush = false;
  readonly #written: Set<number>;

  constructor(below: BlockDevice, written: Iterable<number> = []) {
    super(below, below.name);
    this.#written = new Set(written);
  }

  /** What a process finds that opens the file now. */
  async reopened(): Promise<BrimDevice> {
    const device = new BrimDevice(await copyOf(this), this.#written);
    device.isFull = this.isFull;
    device.takesRoom = this.takesRoom;
    return device;
  }

  /** Room is there for all of it, as after `fallocate`. */
  allocate(): void {
    this.#keep(0, this.capacityBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const data = buffer.subarray(bufferOffset, bufferOffset + lengthBytes);
    if (this.isFull && this.#needsRoom(offsetBytes, data)) return false;
    this.#keep(offsetBytes, lengthBytes);
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes } = request;
    if (kind === IoKind.flush && this.failsFlush) {
      this.failsFlush = false;
      request.done(new IoError("medium", "a made-up failure", { object: this.name }));
      return;
    }
    const isRefused =
      kind === IoKind.write &&
      this.isFull &&
      this.#needsRoom(offsetBytes, Buffer.concat(request.buffers));
    if (isRefused) {
      this.refused += 1;
      request.done(new IoError("space", "ENOSPC", { object: this.name, offsetBytes }));
      return;
    }
    if (kind === IoKind.write) this.#keep(offsetBytes, lengthBytes);
    if (kind === IoKind.discard || kind === IoKind.writeZeroes) {
      for (const page of pagesOf(offsetBytes, lengthBytes)) this.#written.delete(page);
    }
    super.submit(request);
  }

  #needsRoom(offsetBytes: number, data: Uint8Array): boolean {
    if (this.takesRoom(offsetBytes, data)) return true;
    return pagesOf(offsetBytes, data.length).some((page) => !this.#written.has(page));
  }

  #keep(offsetBytes: number, lengthBytes: number): void {
    for (const page of pagesOf(offsetBytes, lengthBytes)) this.#written.add(page);
  }
}

function pagesOf(offsetBytes: number, lengthBytes: number): number[] {
  const first = Math.floor(offsetBytes / PAGE_BYTES);
  const end = Math.ceil((offsetBytes + lengthBytes) / PAGE_BYTES);
  return Array.from({ length: end - first }, (_, index) => first + index);
}
