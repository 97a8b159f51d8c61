import type { FileHandle } from "node:fs/promises";

/** Zeros of this length and alignment are left out. */
const PIECE_BYTES: number = 64 * 1024;

const ZEROS: Buffer = Buffer.alloc(PIECE_BYTES);

/** The parts of a buffer that are not zeros, in pieces of 64 KiB that are joined where they meet. */
export function* dataRuns(bytes: Buffer): Generator<{ start: number; end: number }> {
  let runStart = -1;
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const end = Math.min(start + PIECE_BYTES, bytes.length);
    const isZero = bytes.subarray(start, end).equals(ZEROS.subarray(0, end - start));
    if (!isZero && runStart < 0) runStart = start;
    if (!isZero || runStart < 0) continue;
    yield { start: runStart, end: start };
    runStart = -1;
  }
  if (runStart >= 0) yield { start: runStart, end: bytes.length };
}

/** Writes bytes at a place, and leaves holes for zeros. */
export async function writeSparse(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (const { start, end } of dataRuns(bytes)) {
    let at = start;
    while (at < end) {
      const { bytesWritten } = await file.write(bytes, at, end - at, offset + at);
      at += bytesWritten;
    }
  }
}

/** Reads as much as there is, up to `lengthBytes`. */
export async function readPiece(
  file: FileHandle,
  offset: number,
  lengthBytes: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  let length = 0;
  while (length < lengthBytes) {
    const { bytesRead } = await file.read(bytes, length, lengthBytes - length, offset + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
