import { InitiatorError } from "./initiator-error.ts";

/** A `key=value` of login and text PDUs, in the order sent: SendTargets answers repeat their keys. */
export type TextPair = readonly [key: string, value: string];

/** RFC 7143 6.1: every pair ends in a NUL. */
export function encodeText(pairs: readonly TextPair[]): Buffer {
  return Buffer.from(pairs.map(([key, value]) => `${key}=${value}\0`).join(""), "utf8");
}

export function decodeText(bytes: Uint8Array): TextPair[] {
  const pairs: TextPair[] = [];
  // Some targets pad the text with further NULs, which says nothing and harms nobody.
  const items = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString("utf8")
    .split("\0");
  for (const item of items) {
    if (item === "") continue;
    const equals = item.indexOf("=");
    if (equals <= 0) {
      throw new InitiatorError(
        "protocol",
        `the target sent text without a key: ${item.slice(0, 40)}`,
      );
    }
    pairs.push([item.slice(0, equals), item.slice(equals + 1)]);
  }
  return pairs;
}

/** The value of a key, or undefined. A key that comes twice is an error of the target's (RFC 7143 6.2). */
export function valueOf(pairs: readonly TextPair[], key: string): string | undefined {
  const values = pairs.filter(([name]) => name === key);
  if (values.length > 1) throw new InitiatorError("protocol", `the target sent ${key} twice`);
  return values[0]?.[1];
}

const HEX = /^0[xX][0-9a-fA-F]*$/;
const BASE64 = /^0[bB][0-9a-zA-Z+/]*={0,2}$/;

/** A binary value in hexadecimal or base64, RFC 7143 6.1; undefined where it is neither. */
export function decodeBinary(value: string): Buffer | undefined {
  if (HEX.test(value)) {
    const digits = value.slice(2);
    return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  }
  return BASE64.test(value) ? Buffer.from(value.slice(2), "base64") : undefined;
}

export function encodeBinary(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}
