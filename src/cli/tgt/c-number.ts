/** Numbers as strtoull(3) reads them, and as they fit into the integers of C. */

const LIMIT = 0xffff_ffff_ffff_ffffn;

/** Blanks, a sign, and digits of the base; what follows them is not looked at. */
const BASE_0 = /^[ \t-\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/;
const BASE_10 = /^[ \t-\r]*([+-]?)([0-9]+)/;

/** An unsigned number of 64 bits, a negative one modulo 2^64; too large ones are 2^64 - 1. Undefined without digits. */
export function leadingUnsigned(text: string, base: 0 | 10): bigint | undefined {
  const match = (base === 0 ? BASE_0 : BASE_10).exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = ""] = match;
  const isOctal = base === 0 && /^0[0-7]+$/.test(digits);
  const magnitude = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (magnitude > LIMIT) return LIMIT;
  return BigInt.asUintN(64, sign === "-" ? -magnitude : magnitude);
}

/** A decimal number of 64 bits with a sign, as strtoll(3) has it: too large and too small ones are the last there are. */
export function leadingSigned(text: string): bigint | undefined {
  const match = BASE_10.exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = ""] = match;
  const most = sign === "-" ? LIMIT / 2n + 1n : LIMIT / 2n;
  const magnitude = BigInt(digits) < most ? BigInt(digits) : most;
  return sign === "-" ? -magnitude : magnitude;
}

export type NumberFault = "invalid" | "out of range";

/** The integers that options have, by their bits. */
export type IntegerKind = "int16" | "int32" | "uint32" | "uint64";

const CONVERT: Readonly<Record<IntegerKind, (value: bigint) => bigint>> = {
  int16: (value) => BigInt.asIntN(16, value),
  int32: (value) => BigInt.asIntN(32, value),
  uint32: (value) => BigInt.asUintN(32, value),
  uint64: (value) => value,
};

/**
 * The value of an option in the way of tgtadm, 0 or more: 2^64 - 1 is refused even where it would fit, as strtoull gives it
 * for what is too large, too.
 */
export function parseInteger(text: string, kind: IntegerKind): bigint | NumberFault {
  const value = leadingUnsigned(text, 0);
  if (value === undefined || value === LIMIT) return "invalid";
  const converted = CONVERT[kind](value);
  return converted === value ? value : "out of range";
}
