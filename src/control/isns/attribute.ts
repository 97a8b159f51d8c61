import { isIPv4, isIPv6 } from "node:net";
import { plainAddress } from "../../iscsi/auth/access-list.ts";
import { assert } from "../../util/assert.ts";
import { IsnsTag } from "./constants.ts";
import { ATTRIBUTES_MAX } from "./limits.ts";
import { IsnsProtocolError } from "./protocol-error.ts";

/** A tag and its value, which is empty where only the attribute is named (RFC 4171 5.1.6). */
export interface Attribute {
  readonly tag: number;
  readonly value: Buffer;
}

/** Tag and length, 4 bytes each; the value follows, and with it padding that its length counts. */
const HEAD_BYTES = 8;
const ALIGNMENT = 4;
const ADDRESS_BYTES = 16;

/** An IPv4 address is ::ffff:a.b.c.d. */
const MAPPED_PREFIX: Buffer = Buffer.from("00000000000000000000ffff", "hex");

const EMPTY: Buffer = Buffer.alloc(0);

export const DELIMITER: Attribute = { tag: IsnsTag.delimiter, value: EMPTY };

export function emptyAttribute(tag: number): Attribute {
  return { tag, value: EMPTY };
}

export function numberAttribute(tag: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { tag, value: bytes };
}

/** UTF-8 with a zero at its end, and zeros up to the next multiple of 4. */
export function textAttribute(tag: number, text: string): Attribute {
  const length = Buffer.byteLength(text) + 1;
  const value = Buffer.alloc(Math.ceil(length / ALIGNMENT) * ALIGNMENT);
  value.write(text);
  return { tag, value };
}

/** `address` is an IP address; a zone has no meaning on another host. */
export function addressAttribute(tag: number, address: string): Attribute {
  const plain = plainAddress(address);
  assert(isIPv4(plain) || isIPv6(plain), "an address is given");
  if (isIPv4(plain)) {
    return {
      tag,
      value: Buffer.concat([MAPPED_PREFIX, Buffer.from(plain.split(".").map(Number))]),
    };
  }
  return { tag, value: ipv6Bytes(plain) };
}

function ipv6Bytes(address: string): Buffer {
  // The parser of URLs knows all ways to write one, and writes groups of hexadecimal digits.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(ADDRESS_BYTES / 2 - left.length - right.length).fill("0");
  const value = Buffer.alloc(ADDRESS_BYTES);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    value.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return value;
}

/** @throws {IsnsProtocolError} it has another length */
export function numberOf({ tag, value }: Attribute): number {
  if (value.length !== 4) throw new IsnsProtocolError(`attribute ${tag} is no number`);
  return value.readUInt32BE();
}

/** @throws {IsnsProtocolError} it is no text that ends in zeros */
export function textOf({ tag, value }: Attribute): string {
  const end = value.indexOf(0);
  if (end < 0 || value.subarray(end).some((byte) => byte !== 0)) {
    throw new IsnsProtocolError(`attribute ${tag} is no text`);
  }
  return value.toString("utf8", 0, end);
}

/** @throws {IsnsProtocolError} it has another length */
export function addressOf({ tag, value }: Attribute): string {
  if (value.length !== ADDRESS_BYTES) throw new IsnsProtocolError(`attribute ${tag} is no address`);
  if (value.subarray(0, MAPPED_PREFIX.length).equals(MAPPED_PREFIX)) {
    return [...value.subarray(MAPPED_PREFIX.length)].join(".");
  }
  const groups = Array.from({ length: ADDRESS_BYTES / 2 }, (_, index) =>
    value.readUInt16BE(index * 2).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.flatMap(({ tag, value }) => {
      assert(value.length % ALIGNMENT === 0, "values are padded");
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32BE(tag, 0);
      head.writeUInt32BE(value.length, 4);
      return [head, value];
    }),
  );
}

/**
 * What {@link encodeAttributes} wrote. Values are parts of `bytes`.
 *
 * @throws {IsnsProtocolError} they do not fill the bytes exactly, or are too many
 */
export function decodeAttributes(bytes: Buffer): Attribute[] {
  const attributes: Attribute[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEAD_BYTES) throw new IsnsProtocolError("an attribute is cut off");
    const tag = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4);
    at += HEAD_BYTES;
    if (length % ALIGNMENT !== 0) throw new IsnsProtocolError(`attribute ${tag} is not padded`);
    if (length > bytes.length - at) throw new IsnsProtocolError(`attribute ${tag} is cut off`);
    if (attributes.length === ATTRIBUTES_MAX) throw new IsnsProtocolError("too many attributes");
    attributes.push({ tag, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return attributes;
}
