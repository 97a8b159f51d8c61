/**
 * The text of a request, `key=value,key=value`. tgtd reads it in a different way for each mode, and nothing quotes a comma:
 * a path with one arrives cut. Captured from tgtd 1.0.85 by asking it; each function is one of its ways.
 */

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
