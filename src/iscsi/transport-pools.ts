import { BufferPool } from "./buffer-pool.ts";
import { POOLED_BUFFERS_MAX, SEND_CHUNK_BYTES, STAGING_BYTES } from "./limits.ts";

/** Small I/O is what most asynchronous I/O is: it should not cost a large buffer each. */
const SMALL_STAGING_BYTES = 16 * 1024;
const SMALL_POOLED_MAX = 256;
/** What most small I/O has: such a buffer is handed on whole, without a view of a part of it. */
const PAGE_STAGING_BYTES = 4096;

/** A PDU with a segment of 256 KiB, which is what is declared by default, and whatever can stand around it. */
const ASSEMBLY_BYTES = 260 * 1024;
/** What is shorter than this is allocated as quickly as it is found in a pool. */
const ASSEMBLY_BYTES_MIN = 16 * 1024;

/** The memory that all connections of a server share. */
export class TransportPools {
  readonly sendChunks: BufferPool = new BufferPool(SEND_CHUNK_BYTES, POOLED_BUFFERS_MAX);
  readonly #pages: BufferPool = new BufferPool(PAGE_STAGING_BYTES, SMALL_POOLED_MAX);
  readonly #small: BufferPool = new BufferPool(SMALL_STAGING_BYTES, SMALL_POOLED_MAX);
  readonly #large: BufferPool = new BufferPool(STAGING_BYTES, POOLED_BUFFERS_MAX);
  readonly #assemblies: BufferPool = new BufferPool(ASSEMBLY_BYTES, POOLED_BUFFERS_MAX);
  #otherAssemblyBytes = 0;

  /** A buffer for data between a volume and the network, of at least `lengthBytes`, at most `STAGING_BYTES`. */
  leaseStaging(lengthBytes: number): Buffer {
    return this.#poolFor(lengthBytes).lease();
  }

  releaseStaging(buffer: Buffer): void {
    this.#poolFor(buffer.length).release(buffer);
  }

  #poolFor(lengthBytes: number): BufferPool {
    if (lengthBytes <= PAGE_STAGING_BYTES) return this.#pages;
    return lengthBytes <= SMALL_STAGING_BYTES ? this.#small : this.#large;
  }

  /** A buffer in which a PDU of `lengthBytes` is put together. Short ones and very long ones are not worth keeping. */
  leaseAssembly(lengthBytes: number): Buffer {
    if (lengthBytes >= ASSEMBLY_BYTES_MIN && lengthBytes <= ASSEMBLY_BYTES) {
      return this.#assemblies.lease();
    }
    this.#otherAssemblyBytes += lengthBytes;
    return Buffer.allocUnsafeSlow(lengthBytes);
  }

  releaseAssembly(buffer: Buffer): void {
    if (buffer.length === ASSEMBLY_BYTES) this.#assemblies.release(buffer);
    else this.#otherAssemblyBytes -= buffer.length;
  }

  /** Bytes that are lent now, for tests and statistics. */
  get lentBytes(): number {
    let bytes = this.#otherAssemblyBytes;
    for (const pool of [this.sendChunks, this.#pages, this.#small, this.#large, this.#assemblies]) {
      bytes += pool.lentCount * pool.bufferBytes;
    }
    return bytes;
  }
}
