import { BufferPool } from "./buffer-pool.ts";
import { POOLED_BUFFERS_MAX, SEND_CHUNK_BYTES, STAGING_BYTES } from "./limits.ts";

/** Small I/O is what most asynchronous I/O is: it should not cost a large buffer each. */
const SMALL_STAGING_BYTES = 16 * 1024;
const SMALL_POOLED_MAX = 256;

/** The memory that all connections of a server share. */
export class TransportPools {
  readonly sendChunks: BufferPool = new BufferPool(SEND_CHUNK_BYTES, POOLED_BUFFERS_MAX);
  readonly #small: BufferPool = new BufferPool(SMALL_STAGING_BYTES, SMALL_POOLED_MAX);
  readonly #large: BufferPool = new BufferPool(STAGING_BYTES, POOLED_BUFFERS_MAX);

  /** A buffer for data between a volume and the network, of at least `lengthBytes`, at most `STAGING_BYTES`. */
  leaseStaging(lengthBytes: number): Buffer {
    return (lengthBytes <= SMALL_STAGING_BYTES ? this.#small : this.#large).lease();
  }

  releaseStaging(buffer: Buffer): void {
    (buffer.length === SMALL_STAGING_BYTES ? this.#small : this.#large).release(buffer);
  }

  /** Bytes that are lent now, for tests and statistics. */
  get lentBytes(): number {
    let bytes = 0;
    for (const pool of [this.sendChunks, this.#small, this.#large]) {
      bytes += pool.lentCount * pool.bufferBytes;
    }
    return bytes;
  }
}
