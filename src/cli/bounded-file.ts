import { closeSync, openSync, readSync } from "node:fs";

const STANDARD_INPUT = 0;

const PIECE_BYTES: number = 64 * 1024;

/**
 * The text of a file, or with "-" of the standard input: no more is read of it than it may have.
 *
 * @throws {Error} it cannot be read, or has more bytes; the message names it
 */
export function readBoundedText(file: string, bytesMax: number): string {
  const name = file === "-" ? "the standard input" : file;
  const fd = file === "-" ? STANDARD_INPUT : openSync(file, "r");
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; ;) {
      const piece = Buffer.alloc(PIECE_BYTES);
      const count = readSync(fd, piece);
      if (count === 0) return Buffer.concat(pieces).toString("utf8");
      length += count;
      if (length > bytesMax) throw new Error(`${name} has more than ${bytesMax} bytes`);
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    if (fd !== STANDARD_INPUT) closeSync(fd);
  }
}
