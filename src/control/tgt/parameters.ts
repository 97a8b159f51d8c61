/**
 * The text of a request, `key=value,key=value`. tgtd reads it in a different way for each mode, and nothing quotes a comma:
 * a path with one arrives cut. Captured from tgtd 1.0.85 by asking it; each function is one of its ways.
 */

/** Text as it came, one character a byte, as what it says; null where it is no UTF-8. */
export function utf8Text(bytes: string): string | null {
  const came = Buffer.from(bytes, "latin1");
  const text = came.toString("utf8");
  return Buffer.compare(Buffer.from(text, "utf8"), came) === 0 ? text : null;
}

/** One part of a list, as it stands between commas. */
export interface Parameter {
  readonly key: string;
  /** Undefined where the part has no `=`; may be empty; a second `=` belongs to it. */
  readonly value: string | undefined;
}

/** The parts of a list (logical units, the system): empty parts count for nothing, the order stays, doubles stay. */
export function splitParameters(text: string): Parameter[] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => splitParameter(part));
}

/** One parameter with all of the text as its value (targets): a comma belongs to the value. */
export function splitParameter(text: string): Parameter {
  const equals = text.indexOf("=");
  if (equals === -1) return { key: text, value: undefined };
  return { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

/**
 * What follows the first `key=` to the end of the text (rules of access, names of accounts), or undefined. It is found
 * anywhere, in the middle of another word and of another value, too: `-I A -Q B` makes the rule `A,initiator-name=B`.
 */
export function restAfter(text: string, key: string): string | undefined {
  const mark = `${key}=`;
  const start = text.indexOf(mark);
  return start === -1 ? undefined : text.slice(start + mark.length);
}

/** What precedes the first comma. */
export function upToComma(text: string): string {
  const comma = text.indexOf(",");
  return comma === -1 ? text : text.slice(0, comma);
}

/** The word that tgtadm puts before what `--params` has. */
export function withoutWord(text: string, word: string): string {
  return text.startsWith(`${word} `) ? text.slice(word.length + 1) : text;
}

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

/**
 * All of a text as an int of C, base 0, as strtoull(3) and a conversion have it: what is past 64 bits is the last there is, and of that
 * the low 32 bits count. Undefined where it is no number or something follows.
 */
export function wholeInt32(text: string): number | undefined {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = ""] = match;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = magnitude > UINT64_MAX ? UINT64_MAX : sign === "-" ? -magnitude : magnitude;
  return Number(BigInt.asIntN(32, value));
}

/** The number at the beginning of a text as atoi(3) reads it: decimal, of 64 bits the low 32, and 0 without digits. */
export function decimalInt32(text: string): number {
  const [, sign = "", digits = "0"] = /^\s*([+-]?)([0-9]+)/.exec(text) ?? [];
  const most = sign === "-" ? INT64_MAX + 1n : INT64_MAX;
  const magnitude = BigInt(digits) > most ? most : BigInt(digits);
  return Number(BigInt.asIntN(32, sign === "-" ? -magnitude : magnitude));
}

/** The low 32 bits of a number, without a sign. */
export function uint32Of(number: number): number {
  return ((number % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

/**
 * A number as C reads it in this text, base 0: blanks, a sign, `0x` or an octal 0 before the digits; what follows the
 * digits is not looked at, and no digits are 0.
 */
export function leadingNumber(text: string): number {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text);
  const [, sign = "", digits = "0"] = match ?? [];
  const isOctal = /^0[0-7]+$/.test(digits);
  const magnitude = Number(isOctal ? `0o${digits.slice(1)}` : digits);
  return sign === "-" && magnitude !== 0 ? -magnitude : magnitude;
}
