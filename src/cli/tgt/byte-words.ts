import { readFileSync } from "node:fs";

/**
 * Words of a command line as bytes: strings with one character a byte, as C programs have them. A path that is no valid
 * UTF-8 keeps its bytes, and what is printed is what was typed.
 */

/** What Node.js puts for bytes that are no UTF-8. */
const LOST = "\ufffd";

/** The bytes of a string that Node.js decoded. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The other way: for calls of Node.js that want bytes as they are, such as those with paths. */
export function bytesOf(word: string): Buffer {
  return Buffer.from(word, "latin1");
}

/**
 * The words behind the name of the program. Where Node.js lost bytes, the kernel still has them.
 * @param words as in process.argv, without the first two
 */
export function byteWords(words: readonly string[]): string[] {
  if (!words.some((word) => word.includes(LOST))) return words.map(toByteString);
  const all = readFileSync("/proc/self/cmdline", "latin1").split("\0");
  return all.slice(-1 - words.length, -1);
}
