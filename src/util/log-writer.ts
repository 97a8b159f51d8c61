import * as fs from "node:fs";

/** The two system calls, to be replaced by tests. */
export interface WriteCalls {
  write(
    fd: number,
    bytes: Uint8Array,
    done: (error: NodeJS.ErrnoException | null, count: number) => void,
  ): void;
  writeSync(fd: number, bytes: Uint8Array): number;
}

const systemCalls: WriteCalls = {
  write: (fd, bytes, done) => fs.write(fd, bytes, done),
  writeSync: (fd, bytes) => fs.writeSync(fd, bytes),
};

/** Lines that wait for a reader that is slow. What exceeds this is lost: the log must never stop the disks. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024;

/** How soon a pipe that was full is tried again. */
const RETRY_MS = 10;

/** How often a last write tries a pipe that is full, at the end of the process. */
const LAST_TRIES_MAX = 20;

export interface LogWriterOptions {
  /** The line that tells of lines that were lost. */
  readonly describeLoss: (lineCount: number) => string;
  readonly calls?: WriteCalls;
  readonly waitingCharsMax?: number;
}

/**
 * Writes lines to a descriptor without ever waiting for its reader: a pipe whose reader sleeps would stop the event
 * loop, and every disk with it. Once the reader is gone, lines go nowhere.
 */
export class LogWriter {
  readonly #fd: number;
  readonly #options: LogWriterOptions;
  readonly #calls: WriteCalls;
  #waiting: string[] = [];
  #waitingChars = 0;
  #lostCount = 0;
  /** What is being written, and how much of it is left; null when nothing is. */
  #current: Buffer | null = null;
  #readerIsGone = false;
  /** Nobody is left to go on with a write that has begun. */
  #isEnding = false;

  constructor(fd: number, options: LogWriterOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#calls = options.calls ?? systemCalls;
  }

  /** `line` has its line feed. */
  write(line: string): void {
    if (this.#readerIsGone) return;
    const room = (this.#options.waitingCharsMax ?? WAITING_CHARS_MAX) - this.#waitingChars;
    if (line.length > room) {
      this.#lostCount += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    if (this.#isEnding) this.flush();
    else if (this.#current === null) this.#writeNext();
  }

  /** Writes what waits before it returns, as far as the reader takes it. For the end of the process. */
  flush(): void {
    let rest = this.#take();
    for (let tries = 0; rest.length > 0 && tries < LAST_TRIES_MAX && !this.#readerIsGone;) {
      try {
        rest = rest.subarray(this.#calls.writeSync(this.#fd, rest));
      } catch (error) {
        if (!isFull(error)) this.#readerIsGone = true;
        tries += 1;
      }
    }
  }

  /** Writes what waits, and each line from here on, before it returns: the threads that write otherwise may be stuck on a disk, or end. */
  endsNow(): void {
    this.#isEnding = true;
    this.flush();
  }

  #take(): Buffer {
    if (this.#lostCount > 0) {
      this.#waiting.push(this.#options.describeLoss(this.#lostCount));
      this.#lostCount = 0;
    }
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingChars = 0;
    return Buffer.from(text);
  }

  #writeNext(): void {
    const bytes = this.#take();
    if (bytes.length > 0) this.#writeOut(bytes);
  }

  #writeOut(bytes: Buffer): void {
    this.#current = bytes;
    this.#calls.write(this.#fd, bytes, (error, count) => {
      if (error !== null && isFull(error)) {
        setTimeout(() => this.#writeOut(bytes), RETRY_MS).unref();
        return;
      }
      this.#current = null;
      if (error !== null) {
        this.#readerIsGone = true;
        this.#waiting = [];
      } else if (count < bytes.length) {
        this.#writeOut(bytes.subarray(count));
      } else {
        this.#writeNext();
      }
    });
  }
}

/**
 * The same pipe or terminal, opened once more so that its writes never block: the flag would otherwise be shared with
 * whoever else has it. Files do not block for long, and keep their position only in the descriptor that was given.
 */
export function nonBlocking(fd: number): number {
  try {
    const stats = fs.fstatSync(fd);
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return fd;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    return fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // Somebody else's terminal, or a pipe without a reader: the descriptor as it is has to do.
    return fd;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
