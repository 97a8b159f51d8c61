import {
  BINARY_CONSTANT_BYTES_MAX,
  KEY_BYTES_MAX,
  SIMPLE_VALUE_BYTES_MAX,
  TEXT_PAIRS_MAX,
} from "../login/limits.ts";

/** One `key=value` of a Login or Text PDU (RFC 7143 6.1). */
export interface TextPair {
  readonly key: string;
  readonly value: string;
}

/** Why a text is not one: a closed set, for counters and tests. */
export type TextErrorKind =
  | "unterminated"
  | "no-equals"
  | "bad-key"
  | "long-key"
  | "long-value"
  | "bad-utf8"
  | "duplicate-key"
  | "too-many-pairs";

export type DecodedText =
  | { readonly ok: true; readonly pairs: readonly TextPair[] }
  | { readonly ok: false; readonly kind: TextErrorKind; readonly message: string };

const NUL = 0x00;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const ZERO = 0x30;

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** The characters of a key name (RFC 7143 6.1, key-name), and `#` for the registered form `X#name`. */
function isKeyByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) || // a-z
    (byte >= 0x40 && byte <= 0x5a) || // @ and A-Z
    (byte >= 0x30 && byte <= 0x39) || // 0-9
    byte === 0x2e || // .
    byte === 0x2d || // -
    byte === 0x2b || // +
    byte === 0x5f || // _
    byte === 0x23 // #
  );
}

function isBinaryPrefix(first: number | undefined, second: number | undefined): boolean {
  if (first !== ZERO || second === undefined) return false;
  const letter = second | 0x20;
  return letter === 0x78 || letter === 0x62;
}

/**
 * The limit of 255 bytes counts a simple value, "not its encoded representation" (RFC 7143 6.1): every item of a
 * list for itself, and a binary constant by what it stands for.
 */
function valueFits(bytes: Uint8Array, start: number, end: number): boolean {
  let itemStart = start;
  for (let at = start; at <= end; at++) {
    if (at < end && bytes[at] !== COMMA) continue;
    const binary = isBinaryPrefix(bytes[itemStart], bytes[itemStart + 1]);
    const itemBytesMax = binary ? BINARY_CONSTANT_BYTES_MAX : SIMPLE_VALUE_BYTES_MAX;
    if (at - itemStart > itemBytesMax) return false;
    itemStart = at + 1;
  }
  return true;
}

function failed(kind: TextErrorKind, message: string): DecodedText {
  return { ok: false, kind, message };
}

function decodePair(
  bytes: Uint8Array,
  start: number,
  end: number,
): TextPair | { readonly kind: TextErrorKind; readonly message: string } {
  let equals = start;
  while (equals < end && bytes[equals] !== EQUALS) {
    if (!isKeyByte(bytes[equals] ?? NUL)) {
      return { kind: "bad-key", message: "a key name has a character that none may have" };
    }
    equals++;
  }
  if (equals === end) return { kind: "no-equals", message: "a text item has no =" };
  if (equals === start) return { kind: "bad-key", message: "a text item has no key name" };
  if (equals - start > KEY_BYTES_MAX) {
    return { kind: "long-key", message: `a key name is longer than ${KEY_BYTES_MAX} bytes` };
  }
  const key = utf8Decoder.decode(bytes.subarray(start, equals));
  if (!valueFits(bytes, equals + 1, end)) {
    return { kind: "long-value", message: `the value of ${key} is too long` };
  }
  try {
    return { key, value: utf8Decoder.decode(bytes.subarray(equals + 1, end)) };
  } catch {
    return { kind: "bad-utf8", message: `the value of ${key} is not UTF-8` };
  }
}

/**
 * Decodes a complete text. Every pair, the last one too, ends in at least one NUL, so runs of NULs are skipped and a
 * missing last one is an error (RFC 7143 6.1). A key that appears twice is an error (RFC 7143 6.3). The caller has
 * bounded the bytes; this bounds the pairs, the keys and the values.
 */
export function decodeTextPairs(bytes: Uint8Array): DecodedText {
  const pairs: TextPair[] = [];
  const seen = new Set<string>();
  let start = 0;
  while (start < bytes.length) {
    if (bytes[start] === NUL) {
      start++;
      continue;
    }
    const end = bytes.indexOf(NUL, start);
    if (end < 0) return failed("unterminated", "the last text item does not end in NUL");
    if (pairs.length === TEXT_PAIRS_MAX) {
      return failed("too-many-pairs", `a text has more than ${TEXT_PAIRS_MAX} keys`);
    }
    const pair = decodePair(bytes, start, end);
    if ("kind" in pair) return failed(pair.kind, pair.message);
    if (seen.has(pair.key)) return failed("duplicate-key", `${pair.key} appears twice`);
    seen.add(pair.key);
    pairs.push(pair);
    start = end + 1;
  }
  return { ok: true, pairs };
}

/** Encodes pairs as they are: each with its NUL. Keys may repeat, as TargetAddress does in SendTargets answers. */
export function encodeTextPairs(pairs: readonly TextPair[]): Uint8Array {
  let text = "";
  for (const { key, value } of pairs) text += `${key}=${value}\0`;
  return utf8Encoder.encode(text);
}
