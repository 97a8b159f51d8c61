import { assert } from "../util/assert.ts";
import { digestMatches } from "./digest.ts";
import { DIRECT_RECEIVE_BYTES_MIN } from "./limits.ts";
import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  dataSegmentBytesOf,
  DIGEST_BYTES,
  paddedBytes,
} from "./pdu/basic-header.ts";
import { ProtocolError } from "./protocol-error.ts";

/** One whole PDU in memory that is valid during the call: whoever needs bytes later copies them. */
export interface PduReceiver {
  /**
   * The basic header stands at `base`, the additional headers right behind it, the data segment (without padding and
   * digests) at `dataOffset`. `dataDigestGood` is false where the data digest does not match.
   */
  onPdu(
    bytes: Buffer,
    base: number,
    dataOffset: number,
    dataBytes: number,
    dataDigestGood: boolean,
  ): void;
  /** False: the receiver wants no more, for now or for good. */
  readonly receiving: boolean;
}

const EMPTY = Buffer.alloc(0);

/** Where buffers for whole PDUs come from. What is lent holds at least the bytes asked for. */
export interface AssemblyBuffers {
  leaseAssembly(lengthBytes: number): Buffer;
  releaseAssembly(buffer: Buffer): void;
}

/**
 * Cuts the byte stream into PDUs (RFC 7143 11.2). A PDU that lies whole in a chunk is handed on in place. One that does
 * not is put together in a buffer that is borrowed only after its header was found acceptable.
 */
export class Framer {
  /** Set when login has agreed on them. */
  headerDigest = false;
  dataDigest = false;
  /** The longest data segment that is taken, in bytes: what was declared to the peer. */
  dataSegmentBytesMax: number;
  /** The stream ended at a header whose digest was wrong. */
  headerDigestFailed = false;

  readonly #receiver: PduReceiver;
  /** The start of a header that is not whole yet. */
  readonly #header: Buffer = Buffer.alloc(BASIC_HEADER_BYTES);
  #headerBytes = 0;
  readonly #buffers: AssemblyBuffers;
  /** The PDU that is being put together, at the start of a borrowed buffer; empty where there is none. */
  #assembly: Buffer = EMPTY;
  #assemblyBytes = 0;
  /** Length of that PDU when it is whole. */
  #wantedBytes = 0;

  constructor(receiver: PduReceiver, buffers: AssemblyBuffers, dataSegmentBytesMax: number) {
    this.#receiver = receiver;
    this.#buffers = buffers;
    this.dataSegmentBytesMax = dataSegmentBytesMax;
  }

  /** Bytes of a PDU that is not whole yet. */
  get pendingBytes(): number {
    return this.#headerBytes + this.#assemblyBytes;
  }

  /** Memory for the rest of the PDU that is being put together, when enough is missing; null otherwise. */
  directTarget(): Buffer | null {
    const missingBytes = this.#wantedBytes - this.#assemblyBytes;
    return missingBytes >= DIRECT_RECEIVE_BYTES_MIN
      ? this.#assembly.subarray(this.#assemblyBytes, this.#wantedBytes)
      : null;
  }

  /** `count` bytes were received into the memory that `directTarget` gave. */
  consumeDirect(count: number): void {
    this.#assemblyBytes += count;
    assert(this.#assemblyBytes <= this.#wantedBytes, "no more is received than is missing");
    this.#deliverAssembly();
  }

  /**
   * Takes received bytes, and hands on every PDU that they complete; returns where it stopped, which is before `end` only
   * when the receiver wants no more.
   * Throws ProtocolError when the stream makes no sense; nothing more can be received then.
   */
  consume(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#receiver.receiving) {
      if (this.#wantedBytes !== 0) at = this.#fillAssembly(chunk, at, end);
      else if (this.#headerBytes !== 0) at = this.#fillHeader(chunk, at, end);
      else at = this.#takeWhole(chunk, at, end);
    }
    return at;
  }

  /** The connection is over: forgets what it holds. */
  drop(): void {
    this.#headerBytes = 0;
    if (this.#wantedBytes !== 0) this.#buffers.releaseAssembly(this.#assembly);
    this.#assembly = EMPTY;
    this.#assemblyBytes = 0;
    this.#wantedBytes = 0;
  }

  #takeWhole(chunk: Buffer, at: number, end: number): number {
    const availableBytes = end - at;
    if (availableBytes < BASIC_HEADER_BYTES) {
      chunk.copy(this.#header, 0, at, end);
      this.#headerBytes = availableBytes;
      return end;
    }
    const pduBytes = this.#pduBytes(chunk, at);
    if (availableBytes >= pduBytes) {
      this.#deliver(chunk, at);
      return at + pduBytes;
    }
    this.#assemble(pduBytes, chunk, at, availableBytes);
    return end;
  }

  /** Begins to put a PDU together, with what is there of it. */
  #assemble(pduBytes: number, bytes: Buffer, at: number, availableBytes: number): void {
    this.#assembly = this.#buffers.leaseAssembly(pduBytes);
    this.#wantedBytes = pduBytes;
    bytes.copy(this.#assembly, 0, at, at + availableBytes);
    this.#assemblyBytes = availableBytes;
  }

  #fillHeader(chunk: Buffer, at: number, end: number): number {
    const count = Math.min(BASIC_HEADER_BYTES - this.#headerBytes, end - at);
    chunk.copy(this.#header, this.#headerBytes, at, at + count);
    this.#headerBytes += count;
    if (this.#headerBytes === BASIC_HEADER_BYTES) {
      this.#assemble(this.#pduBytes(this.#header, 0), this.#header, 0, BASIC_HEADER_BYTES);
      this.#headerBytes = 0;
      this.#deliverAssembly();
    }
    return at + count;
  }

  #fillAssembly(chunk: Buffer, at: number, end: number): number {
    const count = Math.min(this.#wantedBytes - this.#assemblyBytes, end - at);
    chunk.copy(this.#assembly, this.#assemblyBytes, at, at + count);
    this.#assemblyBytes += count;
    this.#deliverAssembly();
    return at + count;
  }

  #deliverAssembly(): void {
    if (this.#assemblyBytes < this.#wantedBytes) return;
    const assembly = this.#assembly;
    this.#assembly = EMPTY;
    this.#assemblyBytes = 0;
    this.#wantedBytes = 0;
    try {
      this.#deliver(assembly, 0);
    } finally {
      this.#buffers.releaseAssembly(assembly);
    }
  }

  /** Length of the whole PDU, in bytes, by its basic header. */
  #pduBytes(bytes: Buffer, base: number): number {
    const dataBytes = dataSegmentBytesOf(bytes, base);
    if (dataBytes > this.dataSegmentBytesMax) {
      throw new ProtocolError(
        `a data segment of ${dataBytes} bytes, where ${this.dataSegmentBytesMax} were declared as the most`,
      );
    }
    let pduBytes = BASIC_HEADER_BYTES + additionalHeaderBytesOf(bytes, base);
    if (this.headerDigest) pduBytes += DIGEST_BYTES;
    if (dataBytes !== 0) {
      pduBytes += paddedBytes(dataBytes);
      if (this.dataDigest) pduBytes += DIGEST_BYTES;
    }
    return pduBytes;
  }

  #deliver(bytes: Buffer, base: number): void {
    const headerEnd = base + BASIC_HEADER_BYTES + additionalHeaderBytesOf(bytes, base);
    let dataOffset = headerEnd;
    if (this.headerDigest) {
      // RFC 7143 7.8: lengths and tags of such a header mean nothing, so the stream ends here.
      if (!digestMatches(bytes, base, headerEnd)) {
        this.headerDigestFailed = true;
        throw new ProtocolError("header digest error");
      }
      dataOffset += DIGEST_BYTES;
    }
    const dataBytes = dataSegmentBytesOf(bytes, base);
    const digestGood =
      !this.dataDigest ||
      dataBytes === 0 ||
      digestMatches(bytes, dataOffset, dataOffset + paddedBytes(dataBytes));
    this.#receiver.onPdu(bytes, base, dataOffset, dataBytes, digestGood);
  }
}
