import { GARBAGE, readTags } from "../../simulation/tags.ts";

const SECTOR_BYTES = 512;
const CHUNK_BYTES: number = 32 * SECTOR_BYTES;

/** Stands for a sector that is garbage, or another one's. */
export const MISPLACED = 0xffff_ffff;

/** What was read of one volume before, and what it meant. */
interface Earlier {
  readonly content: Buffer;
  readonly serials: Uint32Array;
}

/** Reads the tags of volumes that are read again and again, and that have changed little: only what is another is decoded. */
export class TagReader {
  readonly #earlier = new Map<string, Earlier>();

  /** The serial in each sector; the result is overwritten by the next call for the same volume. */
  read(name: string, content: Buffer): Uint32Array {
    let earlier = this.#earlier.get(name);
    if (earlier === undefined || earlier.content.length !== content.length) {
      const serials = new Uint32Array(content.length / SECTOR_BYTES);
      earlier = { content: Buffer.alloc(content.length), serials };
      this.#earlier.set(name, earlier);
    }
    for (let at = 0; at < content.length; at += CHUNK_BYTES) {
      const end = Math.min(at + CHUNK_BYTES, content.length);
      if (content.compare(earlier.content, at, end, at, end) === 0) continue;
      decode(content.subarray(at, end), at / SECTOR_BYTES, earlier.serials);
      content.copy(earlier.content, at, at, end);
    }
    return earlier.serials;
  }
}

function decode(bytes: Buffer, firstSector: number, serials: Uint32Array): void {
  for (const [index, { serial, lba }] of readTags(Buffer.from(bytes)).entries()) {
    const sector = firstSector + index;
    const isMisplaced = serial === GARBAGE || (serial !== 0 && lba !== sector);
    serials[sector] = isMisplaced ? MISPLACED : serial;
  }
}
