import { setUint32BE } from "../util/bytes.ts";
import { InitiatorError } from "./initiator-error.ts";
import { read, synchronizeCache, write } from "./scsi.ts";
import type { InitiatorSession } from "./session.ts";

/** A scratch range of a logical unit, in blocks, and what tells one run's patterns from another's. */
export interface VerifyRange {
  readonly lun: number;
  readonly blockBytes: number;
  readonly startBlock: number;
  readonly blocks: number;
  readonly seed: number;
}

export interface VerifyProgress {
  /** After each piece: how many bytes of the range are done. */
  advanced?(doneBytes: number): void;
  /** Asked between two pieces; true ends the run early, with everything restored. */
  stopped?(): boolean;
}

export interface VerifyResult {
  readonly checkedBytes: number;
  readonly stoppedEarly: boolean;
}

/** Held at a time, old content and pattern: also the most that an interruption by force can leave overwritten. */
const PIECE_BYTES = 1024 * 1024;

/** Lengths of the commands that one piece is written and read with, in turn; rounded to whole blocks. */
const COMMAND_BYTES = [PIECE_BYTES, 4096, 64 * 1024, 512, 256 * 1024] as const;

/** Every 8 bytes say where they belong and in which run, so that misplaced and stale data show. */
export function patternFor(range: VerifyRange, startBlock: number, blocks: number): Uint8Array {
  const bytes = new Uint8Array(blocks * range.blockBytes);
  const startWord = (startBlock * range.blockBytes) / 8;
  for (let at = 0; at < bytes.length; at += 8) {
    const word = startWord + at / 8;
    setUint32BE(bytes, at, (range.seed ^ Math.floor(word / 0x1_0000_0000)) >>> 0);
    setUint32BE(bytes, at + 4, word % 0x1_0000_0000);
  }
  return bytes;
}

/** Offset of the first difference; -1 when equal. */
function firstDifference(left: Uint8Array, right: Uint8Array): number {
  if (Buffer.compare(left, right) === 0) return -1;
  return left.findIndex((byte, index) => byte !== right[index]);
}

class Verifier {
  readonly #session: InitiatorSession;
  readonly #range: VerifyRange;

  constructor(session: InitiatorSession, range: VerifyRange) {
    this.#session = session;
    this.#range = range;
  }

  /** Writes a pattern over one piece, reads it back, puts the old content in place again, and checks that too. */
  async piece(startBlock: number, blocks: number, commandBytes: number): Promise<void> {
    const old = await this.#read(startBlock, blocks, PIECE_BYTES);
    try {
      const pattern = patternFor(this.#range, startBlock, blocks);
      await this.#write(startBlock, pattern, commandBytes);
      await synchronizeCache(this.#session, this.#range.lun);
      const back = await this.#read(startBlock, blocks, commandBytes);
      this.#compare(startBlock, back, pattern, "what was written");
    } finally {
      await this.#restore(startBlock, old);
    }
    const restored = await this.#read(startBlock, blocks, PIECE_BYTES);
    this.#compare(startBlock, restored, old, "the old content");
  }

  async #restore(startBlock: number, old: Uint8Array): Promise<void> {
    try {
      await this.#write(startBlock, old, PIECE_BYTES);
      await synchronizeCache(this.#session, this.#range.lun);
    } catch (cause) {
      const start = startBlock * this.#range.blockBytes;
      const where = `bytes ${start} to ${start + old.length - 1}`;
      const message = `${where} could not be restored and hold a test pattern`;
      throw new InitiatorError("closed", message, { cause });
    }
  }

  async #read(startBlock: number, blocks: number, commandBytes: number): Promise<Uint8Array> {
    const { lun, blockBytes } = this.#range;
    const bytes = new Uint8Array(blocks * blockBytes);
    const step = Math.max(1, Math.floor(commandBytes / blockBytes));
    for (let done = 0; done < blocks; done += step) {
      const count = Math.min(step, blocks - done);
      const range = { lun, lba: startBlock + done, blocks: count, blockBytes };
      bytes.set(await read(this.#session, range), done * blockBytes);
    }
    return bytes;
  }

  async #write(startBlock: number, data: Uint8Array, commandBytes: number): Promise<void> {
    const { lun, blockBytes } = this.#range;
    const blocks = data.length / blockBytes;
    const step = Math.max(1, Math.floor(commandBytes / blockBytes));
    for (let done = 0; done < blocks; done += step) {
      const count = Math.min(step, blocks - done);
      const range = { lun, lba: startBlock + done, blocks: count, blockBytes };
      const start = done * blockBytes;
      await write(this.#session, range, data.subarray(start, start + count * blockBytes));
    }
  }

  #compare(startBlock: number, got: Uint8Array, expected: Uint8Array, what: string): void {
    const at = firstDifference(got, expected);
    if (at < 0) return;
    const byte = startBlock * this.#range.blockBytes + at;
    throw new InitiatorError("protocol", `byte ${byte} reads back different from ${what}`);
  }
}

/** Checks a range by writing to it, and leaves it as it was. Rejects with `InitiatorError` at the first difference. */
export async function verifyRange(
  session: InitiatorSession,
  range: VerifyRange,
  progress: VerifyProgress = {},
): Promise<VerifyResult> {
  const verifier = new Verifier(session, range);
  const pieceBlocks = Math.max(1, Math.floor(PIECE_BYTES / range.blockBytes));
  let piece = 0;
  for (let done = 0; done < range.blocks; done += pieceBlocks) {
    if (progress.stopped?.() === true) {
      return { checkedBytes: done * range.blockBytes, stoppedEarly: true };
    }
    const blocks = Math.min(pieceBlocks, range.blocks - done);
    const commandBytes = COMMAND_BYTES[piece % COMMAND_BYTES.length] ?? PIECE_BYTES;
    await verifier.piece(range.startBlock + done, blocks, commandBytes);
    progress.advanced?.((done + blocks) * range.blockBytes);
    piece += 1;
  }
  return { checkedBytes: range.blocks * range.blockBytes, stoppedEarly: false };
}
