import { crc32c } from "../../../native-free/crc32c.ts";
import { assert } from "../../../src/util/assert.ts";
import { flush, writeBytes } from "../../../src/util/io-request.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import type { SeededRandom } from "../../../src/util/random.ts";

/*
 * A database as most are: a transaction is appended to a write-ahead log and flushed, then it is committed; the pages follow at
 * leisure. When the log is full, the pages are flushed, and a header begins the log anew.
 */

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
const LOG_BYTES = 512 * 1024;
const PAGES = 512;
const PAGES_PER_TRANSACTION_MAX = 6;

/** Where the log's records begin; its header lies in the first sector. */
const RECORDS_AT = PAGE_BYTES;

export const DATABASE_BYTES: number = LOG_BYTES + PAGES * PAGE_BYTES;

const HEADER_MAGIC = 0x5741_4c48;
const RECORD_MAGIC = 0x5741_4c52;

/** Of a header or a record: magic, generation of the log, transaction, number of pages, checksum. */
const FIELDS = {
  magic: 0,
  generation: 4,
  transaction: 8,
  pages: 12,
  checksum: 16,
  list: 20,
} as const;

/** When a transaction began, and when its commit was acknowledged, in positions of the device log. */
export interface Commit {
  readonly begunAt: number;
  committedAt: number;
  /** The pages that it wrote. */
  readonly pages: readonly number[];
}

function checksumOf(bytes: Buffer): number {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, FIELDS.checksum);
  return crc32c(copy, 0, copy.length);
}

function seal(bytes: Buffer, magic: number, generation: number, transaction: number): void {
  bytes.writeUInt32LE(magic, FIELDS.magic);
  bytes.writeUInt32LE(generation, FIELDS.generation);
  bytes.writeUInt32LE(transaction, FIELDS.transaction);
  bytes.writeUInt32LE(checksumOf(bytes), FIELDS.checksum);
}

/** A page as a transaction leaves it: all of it says so. */
function pageOf(page: number, transaction: number): Buffer {
  const bytes = Buffer.alloc(PAGE_BYTES);
  for (let at = 0; at < PAGE_BYTES; at += 8) {
    bytes.writeUInt32LE(page + 1, at);
    bytes.writeUInt32LE(transaction, at + 4);
  }
  return bytes;
}

export class Database {
  readonly commits: Commit[] = [];
  readonly #volume: ThinVolume;
  readonly #random: SeededRandom;
  readonly #position: () => number;
  #generation = 0;
  #logEnd = RECORDS_AT;

  constructor(volume: ThinVolume, random: SeededRandom, position: () => number) {
    this.#volume = volume;
    this.#random = random;
    this.#position = position;
  }

  /** Begins the log anew: all that it held is in the pages by now. */
  async checkpoint(): Promise<void> {
    await flush(this.#volume);
    this.#generation += 1;
    const header = Buffer.alloc(SECTOR_BYTES);
    seal(header, HEADER_MAGIC, this.#generation, this.commits.length);
    await writeBytes(this.#volume, 0, header);
    await flush(this.#volume);
    this.#logEnd = RECORDS_AT;
  }

  async transaction(): Promise<void> {
    const count = this.#random.between(1, PAGES_PER_TRANSACTION_MAX);
    const pages = [...new Set(Array.from({ length: count }, () => this.#random.below(PAGES)))];
    if (this.#logEnd + PAGE_BYTES * (pages.length + 1) > LOG_BYTES) await this.checkpoint();
    const commit: Commit = { begunAt: this.#position(), committedAt: Infinity, pages };
    this.commits.push(commit);
    const transaction = this.commits.length;
    const images = pages.map((page) => pageOf(page, transaction));
    const head = Buffer.alloc(PAGE_BYTES);
    head.writeUInt32LE(pages.length, FIELDS.pages);
    for (const [index, page] of pages.entries()) head.writeUInt32LE(page, FIELDS.list + 4 * index);
    const record = Buffer.concat([head, ...images]);
    seal(record, RECORD_MAGIC, this.#generation, transaction);
    await writeBytes(this.#volume, this.#logEnd, record);
    this.#logEnd += record.length;
    await flush(this.#volume);
    commit.committedAt = this.#position();
    await Promise.all(
      images.map((image, index) =>
        writeBytes(this.#volume, LOG_BYTES + (pages[index] ?? 0) * PAGE_BYTES, image),
      ),
    );
  }
}

/**
 * Recovers a database from its volume's content and compares it with what was committed.
 * @throws {Error} a committed transaction is not there, or something else is
 */
export function checkDatabase(content: Buffer, commits: readonly Commit[], position: number): void {
  const pages = content.subarray(LOG_BYTES, DATABASE_BYTES);
  const last = replayLog(content, pages);
  const committed = commits.filter(({ committedAt }) => committedAt <= position).length;
  const begun = commits.filter(({ begunAt }) => begunAt <= position).length;
  if (last < committed || last > begun) {
    throw new Error(
      `the database is at transaction ${last}: ${committed} were committed, ${begun} begun`,
    );
  }
  const expected = new Uint32Array(PAGES);
  for (const [index, commit] of commits.slice(0, last).entries()) {
    for (const page of commit.pages) expected[page] = index + 1;
  }
  for (const [page, transaction] of expected.entries()) {
    const found = pages.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const wanted = transaction === 0 ? Buffer.alloc(PAGE_BYTES) : pageOf(page, transaction);
    if (found.equals(wanted)) continue;
    throw new Error(
      `page ${page} of the database begins with ${found.toString("hex", 0, 16)}, wanted that of transaction ${transaction}`,
    );
  }
}

/** Carries out the log on the pages; returns the last transaction that is there. */
function replayLog(content: Buffer, pages: Buffer): number {
  const header = content.subarray(0, SECTOR_BYTES);
  if (header.readUInt32LE(FIELDS.magic) !== HEADER_MAGIC) return 0;
  assert(header.readUInt32LE(FIELDS.checksum) === checksumOf(header), "a sector is whole");
  const generation = header.readUInt32LE(FIELDS.generation);
  let last = header.readUInt32LE(FIELDS.transaction);
  for (let at = RECORDS_AT; at + PAGE_BYTES <= LOG_BYTES;) {
    const count = content.readUInt32LE(at + FIELDS.pages);
    const end = at + PAGE_BYTES * (count + 1);
    if (content.readUInt32LE(at) !== RECORD_MAGIC || count > PAGES_PER_TRANSACTION_MAX) break;
    const record = content.subarray(at, end);
    const isNext =
      end <= LOG_BYTES &&
      record.readUInt32LE(FIELDS.generation) === generation &&
      record.readUInt32LE(FIELDS.transaction) === last + 1 &&
      record.readUInt32LE(FIELDS.checksum) === checksumOf(record);
    if (!isNext) break;
    for (let index = 0; index < count; index += 1) {
      const page = record.readUInt32LE(FIELDS.list + 4 * index);
      record.copy(pages, page * PAGE_BYTES, PAGE_BYTES * (index + 1), PAGE_BYTES * (index + 2));
    }
    last += 1;
    at = end;
  }
  return last;
}
