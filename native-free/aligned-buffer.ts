import { webAssembly } from "./webassembly.ts";

/**
 * Page-aligned memory for O_DIRECT. Nothing in Node.js promises the alignment of a Buffer, but the memory of a
 * WebAssembly module starts on a page: the runtime maps it by itself. A memory that never grows never moves, and its
 * views stay valid.
 */

/** Alignment of every buffer. Enough for each Linux device: the page is the largest that a device asks for. */
export const BUFFER_ALIGNMENT_BYTES = 4096;

const WASM_PAGE_BYTES = 64 * 1024;

/** One arena: 64 MiB is far more than all the bounce buffers of one device, and small beside a volume. */
const ARENA_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A fixed number of page-aligned buffers of one size. Whoever leases one gives it back; a buffer that is given back
 * twice, or that is not of this pool, is a defect and throws.
 */
export class AlignedBufferPool {
  readonly bufferBytes: number;
  readonly #buffers: Buffer[] = [];
  readonly #free: Buffer[];
  readonly #leased = new Set<Buffer>();

  /** `bufferBytes` is a multiple of {@link BUFFER_ALIGNMENT_BYTES}. */
  constructor(bufferBytes: number, count: number) {
    const totalBytes = bufferBytes * count;
    const fits = bufferBytes > 0 && count > 0 && totalBytes <= ARENA_BYTES_MAX;
    if (!fits || bufferBytes % BUFFER_ALIGNMENT_BYTES !== 0) {
      throw new RangeError("aligned buffers come in whole pages, within the limit of an arena");
    }
    if (webAssembly === undefined) throw new TypeError("aligned buffers need WebAssembly");
    const pages = Math.ceil(totalBytes / WASM_PAGE_BYTES);
    const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    this.bufferBytes = bufferBytes;
    for (let index = 0; index < count; index += 1) {
      this.#buffers.push(Buffer.from(memory.buffer, index * bufferBytes, bufferBytes));
    }
    this.#free = [...this.#buffers];
  }

  get freeCount(): number {
    return this.#free.length;
  }

  /** A buffer with whatever was in it, or null when all are out. */
  lease(): Buffer | null {
    const buffer = this.#free.pop();
    if (buffer === undefined) return null;
    this.#leased.add(buffer);
    return buffer;
  }

  release(buffer: Buffer): void {
    if (!this.#leased.delete(buffer)) {
      throw new TypeError("a buffer was given back that was not leased from this pool");
    }
    this.#free.push(buffer);
  }
}
