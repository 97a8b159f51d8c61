import { startLineChild, type LineChild } from "./child-process.ts";
import { rangePerl } from "./range-perl.ts";
import type { RangeOutcome, RangeProgram } from "./range-program.ts";
import { RANGE_SHELL } from "./range-shell.ts";

export type { RangeOutcome };

/**
 * Hole punching, discard and zeroing on an inherited descriptor by a program that can: Node.js has neither fallocate(2)
 * nor ioctl(2).
 *
 * One program for each device stays and reads ranges line by line. It shares the locked descriptor on purpose: should
 * this process die while a range is still being cleared, the lock lasts until that is done, and a successor cannot write
 * what is cleared a moment later.
 */
export const RangeOperation = {
  /** A file: the range becomes a hole, which reads as zeros. */
  punchHole: "punch",
  /** A file: the range reads as zeros and stays allocated. */
  zeroFile: "zero",
  /** A block device: the range is discarded, and reads as whatever. */
  discardDevice: "discard",
  /** A block device: the range reads as zeros. */
  zeroDevice: "zero-device",
} as const;
export type RangeOperation = (typeof RangeOperation)[keyof typeof RangeOperation];

export type RangeCallback = (outcome: RangeOutcome, message: string) => void;

/** Ranges that may wait. What comes merges into them first, and callers keep their own queue. */
export const RANGES_WAITING_MAX = 256;

/** One merged range: so that one line does not keep the device from everything else for minutes. */
const MERGED_BYTES_MAX = 1024 * 1024 * 1024;

/** What the program has been told of and not answered: much more than one small range, no more than one large one. */
const SENT_BYTES_MAX = 64 * 1024 * 1024;

const STOPPED = "ranges are not cleared any more";

/** Deaths in a row after which the last of the programs is not started again. */
const DEATHS_MAX = 3;

/** The best first. */
const PROGRAMS: readonly RangeProgram[] = [rangePerl(process.arch), RANGE_SHELL].filter(
  (program) => program !== null,
);

class PendingRange {
  readonly operation: RangeOperation;
  offsetBytes: number;
  endBytes: number;
  readonly callbacks: RangeCallback[];

  constructor(
    operation: RangeOperation,
    offsetBytes: number,
    endBytes: number,
    done: RangeCallback,
  ) {
    this.operation = operation;
    this.offsetBytes = offsetBytes;
    this.endBytes = endBytes;
    this.callbacks = [done];
  }

  /** Takes in a range of the same operation that touches this one. */
  merge(operation: RangeOperation, offsetBytes: number, endBytes: number): boolean {
    const start = Math.min(this.offsetBytes, offsetBytes);
    const end = Math.max(this.endBytes, endBytes);
    const touches = offsetBytes <= this.endBytes && endBytes >= this.offsetBytes;
    if (operation !== this.operation || !touches || end - start > MERGED_BYTES_MAX) return false;
    this.offsetBytes = start;
    this.endBytes = end;
    return true;
  }

  get lengthBytes(): number {
    return this.endBytes - this.offsetBytes;
  }

  settle(outcome: RangeOutcome, message: string): void {
    for (const done of this.callbacks) done(outcome, message);
  }
}

/** Clears ranges of one open file or device, in order. */
export class RangeCleaner {
  readonly #fd: number;
  readonly #toolPath: string | undefined;
  /** What is left to try: the first is in use. */
  #programs: readonly RangeProgram[];
  #waiting: PendingRange[] = [];
  /** What the program knows of and has not answered, in the order of its answers. */
  #sent: PendingRange[] = [];
  #sentBytes = 0;
  #child: LineChild | null = null;
  /** The child may be told of ranges. */
  #ready = false;
  /** The child has answered at least once, so it can do its work. */
  #answered = false;
  #deaths = 0;
  #pumpDue = false;
  #closing = false;
  #stopped = false;
  #onClosed: (() => void)[] = [];

  /** `toolPath` replaces the search path of the programs and tools; `programs` are tried in turn. */
  constructor(fd: number, toolPath?: string, programs: readonly RangeProgram[] = PROGRAMS) {
    this.#fd = fd;
    this.#toolPath = toolPath;
    this.#programs = programs;
  }

  /** False when no more may wait: keep the range and come again when one of yours is done. */
  get hasRoom(): boolean {
    return this.#waiting.length < RANGES_WAITING_MAX;
  }

  /** Process id of the program, for tests. */
  get childPid(): number | undefined {
    return this.#child?.pid;
  }

  /** Name of the program in use, for tests. */
  get programName(): string | undefined {
    return this.#programs[0]?.name;
  }

  /** Clears a range. `done` is called once, not before this returns. Ask {@link hasRoom} first. */
  clear(
    operation: RangeOperation,
    offsetBytes: number,
    lengthBytes: number,
    done: RangeCallback,
  ): void {
    const valid = Number.isSafeInteger(offsetBytes) && Number.isSafeInteger(lengthBytes);
    if (!valid || offsetBytes < 0 || lengthBytes <= 0 || this.#closing || !this.hasRoom) {
      throw new RangeError("a range to clear is not one, or comes when none is taken");
    }
    if (this.#stopped) {
      queueMicrotask(() => done("stopped", STOPPED));
      return;
    }
    const endBytes = offsetBytes + lengthBytes;
    const last = this.#waiting.at(-1);
    if (last?.merge(operation, offsetBytes, endBytes) === true) {
      last.callbacks.push(done);
      return;
    }
    this.#waiting.push(new PendingRange(operation, offsetBytes, endBytes, done));
    this.#pumpSoon();
  }

  /** Begins no more: what waits ends as "stopped", as does all that comes. What the program knows of is not disturbed. */
  stop(): void {
    this.#stopped = true;
    for (const range of this.#waiting.splice(0)) range.settle("stopped", STOPPED);
  }

  /** Finishes what waits, then ends the program. */
  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      this.#onClosed.push(resolve);
      this.#pump();
    });
  }

  /** Once for all that comes in one turn: what touches merges first, and the program is woken once. */
  #pumpSoon(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    queueMicrotask(this.#pump);
  }

  readonly #pump = (): void => {
    this.#pumpDue = false;
    if (this.#waiting.length === 0) {
      if (this.#sent.length === 0) this.#rest();
      return;
    }
    const program = this.#programs[0];
    if (program === undefined || (this.#child === null && this.#deaths >= DEATHS_MAX)) {
      const message = `the ${program?.name ?? "program"} that clears ranges does not stay alive`;
      this.#waiting.shift()?.settle("unsupported", message);
      this.#pump();
      return;
    }
    this.#child ??= this.#start(program);
    this.#child.hold(true);
    if (this.#ready) this.#send(this.#child, program);
  };

  #rest(): void {
    this.#child?.hold(this.#closing);
    if (this.#closing) this.#finishClosing();
  }

  #send(child: LineChild, { sentRangesMax }: RangeProgram): void {
    let lines = "";
    while (this.#sent.length < sentRangesMax) {
      const range = this.#waiting[0];
      if (range === undefined) break;
      const { operation, offsetBytes, lengthBytes } = range;
      if (this.#sent.length > 0 && this.#sentBytes + lengthBytes > SENT_BYTES_MAX) break;
      this.#waiting.shift();
      this.#sent.push(range);
      this.#sentBytes += lengthBytes;
      const line = `${operation} ${offsetBytes} ${lengthBytes}`;
      lines = lines === "" ? line : `${lines}\n${line}`;
    }
    if (lines !== "") child.send(lines);
  }

  #start({ command, args, greeting }: RangeProgram): LineChild {
    this.#ready = greeting === null;
    this.#answered = false;
    const events = {
      onLine: (line: string) => this.#onLine(line),
      onClose: () => this.#onChildClosed(),
    };
    const options =
      this.#toolPath === undefined
        ? { inheritedFd: this.#fd }
        : { inheritedFd: this.#fd, path: this.#toolPath };
    return startLineChild(command, args, events, options);
  }

  #onLine(line: string): void {
    const program = this.#programs[0];
    if (program === undefined) return;
    if (!this.#ready) {
      this.#ready = line === program.greeting;
      this.#pumpSoon();
      return;
    }
    const range = this.#sent.shift();
    if (range === undefined) return;
    this.#sentBytes -= range.lengthBytes;
    this.#answered = true;
    this.#deaths = 0;
    range.settle(program.outcomeOf(line), line);
    this.#pumpSoon();
  }

  #onChildClosed(): void {
    const name = this.programName ?? "program";
    const sent = this.#sent.splice(0);
    this.#child = null;
    this.#sentBytes = 0;
    if (sent.length > 0 || (!this.#ready && this.#waiting.length > 0)) this.#deaths += 1;
    // One that has never answered cannot do its work here, whatever the reason.
    if (!this.#answered && this.#programs.length > 1) {
      this.#programs = this.#programs.slice(1);
      this.#deaths = 0;
    }
    // It works in order, but how far it came with these nobody knows.
    const message = `the ${name} that clears ranges ended before it answered`;
    for (const range of sent) range.settle("died", message);
    this.#pump();
  }

  #finishClosing(): void {
    if (this.#child !== null) {
      // Its end calls back into #pump, which comes here again.
      this.#child.end();
      return;
    }
    for (const resolve of this.#onClosed.splice(0)) resolve();
  }
}
