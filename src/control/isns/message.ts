import { assert } from "../../util/assert.ts";
import { type Attribute, decodeAttributes, encodeAttributes } from "./attribute.ts";
import { IsnsFlag, RESPONSE_BIT } from "./constants.ts";
import { MESSAGE_BYTES_MAX, PDU_PAYLOAD_BYTES_MAX } from "./limits.ts";
import { IsnsProtocolError } from "./protocol-error.ts";

/** A message, put together from however many PDUs it came in. */
export interface IsnsMessage {
  readonly functionId: number;
  /** Without those of single PDUs. */
  readonly flags: number;
  readonly transactionId: number;
  readonly payload: Buffer;
}

const VERSION = 1;

/** The header of a PDU (RFC 4171 5.1). All fields have 2 bytes, big-endian. */
const HeaderOffset = {
  version: 0,
  functionId: 2,
  payloadLength: 4,
  flags: 6,
  transactionId: 8,
  sequenceId: 10,
} as const;

const HEADER_BYTES = 12;
assert(HeaderOffset.sequenceId + 2 === HEADER_BYTES, "the sequence ends the header");

const PDU_FLAGS = IsnsFlag.first | IsnsFlag.last;

/** A status comes before the attributes of an answer. */
const STATUS_BYTES = 4;

/** One PDU, or more where the payload is long. */
export function encodeMessage({ functionId, flags, transactionId, payload }: IsnsMessage): Buffer {
  assert(payload.length % 4 === 0, "payloads are padded");
  assert(payload.length <= MESSAGE_BYTES_MAX, "nothing longer is said");
  const parts: Buffer[] = [];
  let sequenceId = 0;
  let at = 0;
  do {
    const part = payload.subarray(at, at + PDU_PAYLOAD_BYTES_MAX);
    at += part.length;
    const header = Buffer.alloc(HEADER_BYTES);
    const first = sequenceId === 0 ? IsnsFlag.first : 0;
    const last = at === payload.length ? IsnsFlag.last : 0;
    header.writeUInt16BE(VERSION, HeaderOffset.version);
    header.writeUInt16BE(functionId, HeaderOffset.functionId);
    header.writeUInt16BE(part.length, HeaderOffset.payloadLength);
    header.writeUInt16BE(flags | first | last, HeaderOffset.flags);
    header.writeUInt16BE(transactionId, HeaderOffset.transactionId);
    header.writeUInt16BE(sequenceId, HeaderOffset.sequenceId);
    parts.push(header, part);
    sequenceId += 1;
  } while (at < payload.length);
  return Buffer.concat(parts);
}

/** Makes messages of bytes as they come. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #begun: { readonly head: Omit<IsnsMessage, "payload">; readonly parts: Buffer[] } | null = null;
  #length = 0;
  readonly #eventBytesMax: number;

  /** @param eventBytesMax of what is no answer: servers may say less by themselves than when they are asked */
  constructor(eventBytesMax: number = MESSAGE_BYTES_MAX) {
    this.#eventBytesMax = eventBytesMax;
  }

  /**
   * The messages that are complete with these bytes.
   *
   * @throws {IsnsProtocolError} they are no messages; nothing more can be read then
   */
  push(chunk: Buffer): IsnsMessage[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: IsnsMessage[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const length = checkedLength(this.#rest);
      if (this.#rest.length < HEADER_BYTES + length) break;
      const message = this.#take(this.#rest.subarray(0, HEADER_BYTES + length));
      this.#rest = this.#rest.subarray(HEADER_BYTES + length);
      if (message !== null) messages.push(message);
    }
    return messages;
  }

  /** Null: more PDUs of the message have to come. */
  #take(pdu: Buffer): IsnsMessage | null {
    const flags = pdu.readUInt16BE(HeaderOffset.flags);
    const head = {
      functionId: pdu.readUInt16BE(HeaderOffset.functionId),
      flags: flags & ~PDU_FLAGS,
      transactionId: pdu.readUInt16BE(HeaderOffset.transactionId),
    };
    const isFirst = (flags & IsnsFlag.first) !== 0;
    if (isFirst !== (this.#begun === null)) throw new IsnsProtocolError("PDUs are not in order");
    this.#begun ??= { head, parts: [] };
    const { head: begun, parts } = this.#begun;
    const isSame =
      begun.functionId === head.functionId && begun.transactionId === head.transactionId;
    if (!isSame || pdu.readUInt16BE(HeaderOffset.sequenceId) !== parts.length) {
      throw new IsnsProtocolError("PDUs are not in order");
    }
    const part = pdu.subarray(HEADER_BYTES);
    this.#length += part.length;
    const bytesMax = isAnswer(begun) ? MESSAGE_BYTES_MAX : this.#eventBytesMax;
    if (this.#length > bytesMax) throw new IsnsProtocolError("a message does not end");
    parts.push(part);
    if ((flags & IsnsFlag.last) === 0) return null;
    this.#begun = null;
    this.#length = 0;
    return { ...begun, payload: Buffer.concat(parts) };
  }
}

function checkedLength(header: Buffer): number {
  const version = header.readUInt16BE(HeaderOffset.version);
  if (version !== VERSION) throw new IsnsProtocolError(`version ${version} is not known`);
  // The block that follows then is not counted by the length, and there is no key to check it with.
  if ((header.readUInt16BE(HeaderOffset.flags) & IsnsFlag.authenticated) !== 0) {
    throw new IsnsProtocolError("authentication of messages is not known");
  }
  const length = header.readUInt16BE(HeaderOffset.payloadLength);
  if (length % 4 !== 0) throw new IsnsProtocolError("a PDU is not padded");
  return length;
}

/** What a server says to a request. */
export interface IsnsAnswer {
  readonly status: number;
  readonly attributes: readonly Attribute[];
}

export function encodeAnswer({ status, attributes }: IsnsAnswer): Buffer {
  const head = Buffer.alloc(STATUS_BYTES);
  head.writeUInt32BE(status);
  return Buffer.concat([head, encodeAttributes(attributes)]);
}

/** @throws {IsnsProtocolError} it is none */
export function decodeAnswer(payload: Buffer): IsnsAnswer {
  if (payload.length < STATUS_BYTES) throw new IsnsProtocolError("an answer is cut off");
  const attributes = decodeAttributes(payload.subarray(STATUS_BYTES));
  return { status: payload.readUInt32BE(), attributes };
}

export function isAnswer({ functionId }: Pick<IsnsMessage, "functionId">): boolean {
  return (functionId & RESPONSE_BIT) !== 0;
}
