import { SECTOR_BYTES } from "./media.ts";

const WORDS = SECTOR_BYTES / 4;
const MAGIC = 0x5345_4354;

/** What a sector says of itself: who wrote it, and where it belongs. `serial` 0: zeros. */
export interface Tag {
  readonly volume: number;
  readonly lba: number;
  readonly serial: number;
}

/** A sector that is no zeros and no tag as it was written: torn, or of somebody else. */
export const GARBAGE = -1;

/** Tags `count` sectors from `lba` on; `serial` is that of the write, unique in a history. */
export function tagSectors(volume: number, lba: number, count: number, serial: number): Buffer {
  const words = new Uint32Array(count * WORDS);
  for (let sector = 0; sector < count; sector += 1) {
    writeTag(words, sector * WORDS, { volume, lba: lba + sector, serial });
  }
  return Buffer.from(words.buffer);
}

function writeTag(words: Uint32Array, at: number, { volume, lba, serial }: Tag): void {
  words[at] = MAGIC;
  words[at + 1] = volume;
  words[at + 2] = lba;
  words[at + 3] = serial;
  for (let word = 4; word < WORDS; word += 1) words[at + word] = filler(lba, serial, word);
}

function filler(lba: number, serial: number, word: number): number {
  return (Math.imul(serial, 0x9e37_79b1) ^ Math.imul(lba + 1, 0x85eb_ca6b) ^ word) >>> 0;
}

/** The tag of each sector; a sector that is none has the serial {@link GARBAGE}. */
export function readTags(bytes: Buffer): Tag[] {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
  const tags: Tag[] = [];
  for (let at = 0; at < words.length; at += WORDS) tags.push(readTag(words, at));
  return tags;
}

const ZERO: Tag = { volume: 0, lba: 0, serial: 0 };
const BROKEN: Tag = { volume: 0, lba: 0, serial: GARBAGE };

function readTag(words: Uint32Array, at: number): Tag {
  if (words[at] !== MAGIC) {
    for (let word = 0; word < WORDS; word += 1) if (words[at + word] !== 0) return BROKEN;
    return ZERO;
  }
  const lba = words[at + 2]!;
  const serial = words[at + 3]!;
  for (let word = 4; word < WORDS; word += 1) {
    if (words[at + word] !== filler(lba, serial, word)) return BROKEN;
  }
  return { volume: words[at + 1]!, lba, serial };
}

export function inWordsOf({ volume, lba, serial }: Tag): string {
  if (serial === 0) return "zeros";
  if (serial === GARBAGE) return "garbage";
  return `write #${serial} (volume ${volume}, sector ${lba})`;
}
