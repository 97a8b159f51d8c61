import { crc32c } from "../../native-free/crc32c.ts";
import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  dataSegmentBytesOf,
  DIGEST_BYTES,
  opcodeOf,
  paddedBytes,
} from "../iscsi/pdu/basic-header.ts";
import { getUint8 } from "../util/bytes.ts";
import { InitiatorError } from "./initiator-error.ts";

/** One PDU from the target. The bytes belong to whoever gets it. */
export interface ReceivedPdu {
  /** The basic header, 48 bytes. */
  readonly header: Uint8Array;
  readonly additionalHeader: Uint8Array;
  /** The data segment without its padding. */
  readonly data: Uint8Array;
}

/** The digest as it stands on the wire: least significant byte first (RFC 7143 11.2.3, RFC 3720 B.4). */
export function digestAt(bytes: Uint8Array, offset: number): number {
  return (
    ((getUint8(bytes, offset + 3) << 24) |
      (getUint8(bytes, offset + 2) << 16) |
      (getUint8(bytes, offset + 1) << 8) |
      getUint8(bytes, offset)) >>>
    0
  );
}

/** Cuts the bytes of a connection into PDUs, however they arrive. */
export class PduReader {
  /** Set between two PDUs, when the login ends. */
  headerDigest = false;
  dataDigest = false;
  /** What this side declared; a longer segment is an error of the target's. */
  dataSegmentBytesMax: number;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;

  constructor(dataSegmentBytesMax: number) {
    this.dataSegmentBytesMax = dataSegmentBytesMax;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
  }

  /** The next whole PDU, or undefined until more bytes are here. Throws `InitiatorError` of kind `protocol`. */
  next(): ReceivedPdu | undefined {
    if (this.#bufferedBytes < BASIC_HEADER_BYTES) return undefined;
    const basic = this.#peek(BASIC_HEADER_BYTES);
    const additionalBytes = additionalHeaderBytesOf(basic, 0);
    const dataBytes = dataSegmentBytesOf(basic, 0);
    if (dataBytes > this.dataSegmentBytesMax) {
      throw new InitiatorError(
        "protocol",
        `a data segment of ${dataBytes} bytes, but ${this.dataSegmentBytesMax} were declared`,
      );
    }
    const dataStart = BASIC_HEADER_BYTES + additionalBytes + (this.headerDigest ? DIGEST_BYTES : 0);
    const dataDigestBytes = this.dataDigest && dataBytes > 0 ? DIGEST_BYTES : 0;
    const totalBytes = dataStart + paddedBytes(dataBytes) + dataDigestBytes;
    if (this.#bufferedBytes < totalBytes) return undefined;
    const pdu = this.#peek(totalBytes);
    this.#drop(totalBytes);
    const opcode = opcodeOf(pdu, 0);
    if (this.headerDigest) check(pdu, 0, dataStart - DIGEST_BYTES, opcode);
    if (dataDigestBytes > 0) check(pdu, dataStart, totalBytes - DIGEST_BYTES, opcode);
    return {
      header: pdu.subarray(0, BASIC_HEADER_BYTES),
      additionalHeader: pdu.subarray(BASIC_HEADER_BYTES, BASIC_HEADER_BYTES + additionalBytes),
      data: pdu.subarray(dataStart, dataStart + dataBytes),
    };
  }

  /** The first bytes in one piece; joins chunks only when they are cut there. */
  #peek(lengthBytes: number): Uint8Array {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= lengthBytes) return first.subarray(0, lengthBytes);
    const joined = new Uint8Array(lengthBytes);
    let filled = 0;
    for (const chunk of this.#chunks) {
      const piece = chunk.subarray(0, lengthBytes - filled);
      joined.set(piece, filled);
      filled += piece.length;
      if (filled === lengthBytes) break;
    }
    return joined;
  }

  #drop(lengthBytes: number): void {
    this.#bufferedBytes -= lengthBytes;
    let left = lengthBytes;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > left) {
        this.#chunks[whole] = chunk.subarray(left);
        break;
      }
      left -= chunk.length;
      whole += 1;
      if (left === 0) break;
    }
    this.#chunks.splice(0, whole);
  }
}

function check(pdu: Uint8Array, start: number, end: number, opcode: number): void {
  if (crc32c(pdu, start, end) === digestAt(pdu, end)) return;
  throw new InitiatorError("protocol", `a digest is wrong in a PDU of opcode ${opcode}`);
}
