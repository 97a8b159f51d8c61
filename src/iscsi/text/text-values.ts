import { BINARY_VALUE_BYTES_MAX, LIST_ITEMS_MAX } from "../login/limits.ts";

/**
 * The value formats of RFC 7143 6.1. Every parser returns null for what is not of its format: the negotiation
 * answers `Reject` or fails the login, by key. The expressions are anchored and linear.
 */

const DECIMAL = /^[0-9]{1,16}$/;
const HEXADECIMAL = /^0[xX][0-9a-fA-F]{1,16}$/;
const HEX_BYTES = /^0[xX](?:[0-9a-fA-F]{2})+$/;
const BASE64_BYTES = /^0[bB](?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A regular numerical value, decimal or hexadecimal; null also where it is past 2^53, which no key's range reaches. */
export function parseNumber(value: string): number | null {
  const digits = DECIMAL.test(value) ? 10 : HEXADECIMAL.test(value) ? 16 : 0;
  if (digits === 0) return null;
  const number = digits === 10 ? Number(value) : Number.parseInt(value.slice(2), 16);
  return Number.isSafeInteger(number) ? number : null;
}

/** A numeric range, `low~high`. */
export function parseRange(value: string): { readonly low: number; readonly high: number } | null {
  const tilde = value.indexOf("~");
  if (tilde < 0) return null;
  const low = parseNumber(value.slice(0, tilde));
  const high = parseNumber(value.slice(tilde + 1));
  return low === null || high === null || low > high ? null : { low, high };
}

/** `Yes` or `No`, in exactly this spelling: text is case-sensitive. */
export function parseBoolean(value: string): boolean | null {
  if (value === "Yes") return true;
  return value === "No" ? false : null;
}

export function formatBoolean(value: boolean): string {
  return value ? "Yes" : "No";
}

/** A list of values in the sender's order of preference; null where an item is empty or there are too many. */
export function parseList(value: string): readonly string[] | null {
  const items = value.split(",", LIST_ITEMS_MAX + 1);
  return items.length > LIST_ITEMS_MAX || items.includes("") ? null : items;
}

/** A binary value in hexadecimal (`0x`) or base64 (`0b`), of 1 to 1,024 bytes. An odd count of hex digits is none. */
export function parseBinary(value: string): Uint8Array | null {
  let bytes: Uint8Array;
  if (HEX_BYTES.test(value)) bytes = Buffer.from(value.slice(2), "hex");
  else if (BASE64_BYTES.test(value)) bytes = Buffer.from(value.slice(2), "base64");
  else return null;
  return bytes.length === 0 || bytes.length > BINARY_VALUE_BYTES_MAX ? null : bytes;
}

/** The hexadecimal form, which every initiator reads; some do not read base64. */
export function formatBinary(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`;
}
