import { assert } from "../util/assert.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { writeDigest } from "./digest.ts";
import { SEND_CHUNK_BYTES, SEND_QUEUE_BYTES_HIGH, SEND_QUEUE_BYTES_MAX } from "./limits.ts";
import {
  BASIC_HEADER_BYTES,
  dataSegmentBytesOf,
  DIGEST_BYTES,
  paddedBytes,
} from "./pdu/basic-header.ts";

/** Where gathered bytes go: the socket. `done` is called once, in order, when the memory may be used again. */
export interface SendSink {
  /** `chunks` are sent in this order, in one call to the system where it takes them. */
  send(chunks: readonly Buffer[]): void;
}

/** A buffer of the pool while it holds bytes that are not all sent. */
interface Chunk {
  readonly buffer: Buffer;
  /** Bytes before this are handed to the sink. */
  sentEnd: number;
  /** Bytes before this are whole PDUs. */
  end: number;
}

/**
 * The PDUs of a connection on their way out. They are laid side by side in pooled chunks, data are read right behind
 * their header, and everything that a turn of the event loop brought leaves in one call: sending each by itself costs
 * one and a half times as much (architecture.md, decision 1).
 *
 * `reserve` gives a place for a PDU, `commit` makes it part of the stream; a place that is not committed is simply
 * given out again.
 */
export class SendQueue {
  headerDigest = false;
  dataDigest = false;

  readonly #pool: BufferPool;
  readonly #sink: SendSink;
  /** Being filled; null while nothing is queued. */
  #current: Chunk | null = null;
  /** Full, not handed over yet. */
  readonly #full: Chunk[] = [];
  /** Handed over in this order; one entry for each `send`, with the chunks that are free after it. */
  readonly #sending: { bytes: number; free: Buffer[] }[] = [];
  #queuedBytes = 0;
  #reserved = -1;

  constructor(pool: BufferPool, sink: SendSink) {
    assert(pool.bufferBytes === SEND_CHUNK_BYTES, "the pool lends send chunks");
    this.#pool = pool;
    this.#sink = sink;
  }

  /** Bytes that the peer has not taken yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Data-In has to wait. */
  get high(): boolean {
    return this.#queuedBytes >= SEND_QUEUE_BYTES_HIGH;
  }

  /** Nothing more should be received. */
  get overfull(): boolean {
    return this.#queuedBytes >= SEND_QUEUE_BYTES_MAX;
  }

  /** What the last `reserve` points into. */
  get buffer(): Buffer {
    assert(this.#current !== null, "a place is reserved first");
    return this.#current.buffer;
  }

  /** Where the data segment of a PDU at `base` begins. */
  dataOffset(base: number): number {
    return base + BASIC_HEADER_BYTES + (this.headerDigest ? DIGEST_BYTES : 0);
  }

  /** Finds room for a PDU with `dataBytes` of data; returns where its header goes in `buffer`. */
  reserve(dataBytes: number): number {
    const pduBytes = BASIC_HEADER_BYTES + 2 * DIGEST_BYTES + paddedBytes(dataBytes);
    assert(pduBytes <= SEND_CHUNK_BYTES, "a PDU fits into a chunk");
    let chunk = this.#current;
    if (chunk !== null && chunk.end + pduBytes > SEND_CHUNK_BYTES) {
      this.#full.push(chunk);
      chunk = null;
    }
    chunk ??= { buffer: this.#pool.lease(), sentEnd: 0, end: 0 };
    this.#current = chunk;
    this.#reserved = chunk.end;
    return chunk.end;
  }

  /** The PDU at the reserved place is complete, except for padding and digests, which are added here. */
  commit(): void {
    const chunk = this.#current;
    const base = this.#reserved;
    assert(chunk !== null && base === chunk.end, "what is committed was reserved last");
    this.#reserved = -1;
    const { buffer } = chunk;
    const dataBytes = dataSegmentBytesOf(buffer, base);
    let end = base + BASIC_HEADER_BYTES;
    if (this.headerDigest) {
      writeDigest(buffer, base, end);
      end += DIGEST_BYTES;
    }
    if (dataBytes !== 0) {
      const dataStart = end;
      end += dataBytes;
      // Padding is zero, so that nothing of an earlier PDU leaks through it.
      while ((end - dataStart) % 4 !== 0) buffer[end++] = 0;
      if (this.dataDigest) {
        writeDigest(buffer, dataStart, end);
        end += DIGEST_BYTES;
      }
    }
    this.#queuedBytes += end - base;
    chunk.end = end;
  }

  /** Hands everything that is committed to the sink, in one call; returns how many bytes that is. */
  flush(): number {
    const chunk = this.#current;
    if (chunk === null || (this.#full.length === 0 && chunk.end === chunk.sentEnd)) {
      // A place that was reserved for nothing (data that were not resident) holds no memory beyond its turn.
      if (this.#queuedBytes === 0) this.#releaseCurrent();
      return 0;
    }
    const parts: Buffer[] = [];
    const free: Buffer[] = [];
    let bytes = 0;
    for (const full of this.#full) {
      bytes += takePart(full, parts);
      free.push(full.buffer);
    }
    this.#full.length = 0;
    bytes += takePart(chunk, parts);
    this.#sending.push({ bytes, free });
    // A chunk that was full to the last byte sent before may be all that is left: it goes with what is sent already.
    if (parts.length === 0) parts.push(EMPTY);
    this.#sink.send(parts);
    return bytes;
  }

  /** The sink is done with the oldest `send`. */
  sent(): void {
    const oldest = this.#sending.shift();
    assert(oldest !== undefined, "no more is sent than was handed over");
    this.#queuedBytes -= oldest.bytes;
    for (const buffer of oldest.free) this.#pool.release(buffer);
    // An idle connection holds no memory, and the next one to answer gets a chunk that is still in the cache.
    if (this.#queuedBytes === 0) this.#releaseCurrent();
  }

  /** The connection is over, and the sink uses none of the memory any more. */
  drop(): void {
    for (const entry of this.#sending) for (const buffer of entry.free) this.#pool.release(buffer);
    for (const full of this.#full) this.#pool.release(full.buffer);
    this.#sending.length = 0;
    this.#full.length = 0;
    this.#queuedBytes = 0;
    this.#reserved = -1;
    this.#releaseCurrent();
  }

  #releaseCurrent(): void {
    if (this.#current === null) return;
    this.#pool.release(this.#current.buffer);
    this.#current = null;
  }
}

const EMPTY = Buffer.alloc(0);

/** Adds what was not handed over yet to `parts`; returns its length in bytes. */
function takePart(chunk: Chunk, parts: Buffer[]): number {
  const bytes = chunk.end - chunk.sentEnd;
  if (bytes !== 0) parts.push(chunk.buffer.subarray(chunk.sentEnd, chunk.end));
  chunk.sentEnd = chunk.end;
  return bytes;
}
