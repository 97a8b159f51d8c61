import { INHERITED_FD, startLineChild, type LineChild } from "./child-process.ts";

/**
 * Hole punching, discard and zeroing by the system's own tools, fallocate(1) and blkdiscard(8), on an inherited
 * descriptor: Node.js has neither fallocate(2) nor ioctl(2).
 *
 * One shell for each device stays and reads "operation offset length" lines, so that a range costs the start of the tool
 * and nothing else. It shares the locked descriptor on purpose: should this process die while a tool still clears a
 * range, the lock lasts until the tool is done, and a successor cannot write what is cleared a moment later.
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

/**
 * "" is success; "unsupported" and "EIO", "ENOSPC" and so on tell what was wrong; "died" when nobody knows; "stopped":
 * nothing was done.
 */
export type RangeOutcome =
  | ""
  | "unsupported"
  | "died"
  | "stopped"
  | "EIO"
  | "ENOSPC"
  | "EPERM"
  | "EROFS"
  | "EINVAL"
  | "ENODEV"
  | "EBUSY";

export type RangeCallback = (outcome: RangeOutcome, message: string) => void;

/** Ranges that may wait. What comes merges into them first, and callers keep their own queue. */
export const RANGES_WAITING_MAX = 256;

/** One merged range: so that one line does not keep the device from everything else for minutes. */
const MERGED_BYTES_MAX = 1024 * 1024 * 1024;

const STOPPED = "ranges are not cleared any more";

/** Deaths of the shell in a row after which it is not started again. */
const DEATHS_MAX = 3;

/**
 * The shell's part. Only digits and the four words ever reach it. Descriptor 4 keeps its output open in the tool, so
 * that this process learns of the end of both. blkdiscard asks for exclusive use unless forced, which the daemon has.
 */
const SCRIPT = `
exec 4>&1
set -f
file=/proc/self/fd/${INHERITED_FD}
force=
case $(blkdiscard --help 2>&1 </dev/null) in *--force*) force=-f;; esac
while read -r operation offset length; do
  case $operation in
    punch) message=$(fallocate --punch-hole --keep-size --offset $offset --length $length $file 2>&1 </dev/null);;
    zero) message=$(fallocate --zero-range --keep-size --offset $offset --length $length $file 2>&1 </dev/null);;
    discard) message=$(blkdiscard $force --offset $offset --length $length $file 2>&1 </dev/null);;
    zero-device) message=$(blkdiscard $force --zeroout --offset $offset --length $length $file 2>&1 </dev/null);;
  esac
  status=$?
  echo "$status" $message
done
`;

/** What the tools say, in the C locale, for each error number that makes a difference. */
const MESSAGES: readonly (readonly [RegExp, RangeOutcome])[] = [
  // EOPNOTSUPP, ENOTTY and, from a kernel or file system without the call, ENOSYS; and a tool that is not there.
  [/not supported|unsupported|inappropriate ioctl|function not impl|not found/i, "unsupported"],
  [/unrecognized option|invalid option|unknown option/i, "unsupported"],
  [/no space left|quota exceeded/i, "ENOSPC"],
  [/operation not permitted|permission denied/i, "EPERM"],
  [/read-only file system/i, "EROFS"],
  [/invalid argument|not aligned/i, "EINVAL"],
  [/no such device/i, "ENODEV"],
  [/resource busy|text file busy/i, "EBUSY"],
];

function outcomeOf(line: string): RangeOutcome {
  if (line === "0" || line.startsWith("0 ")) return "";
  if (line.startsWith("127")) return "unsupported";
  return MESSAGES.find(([pattern]) => pattern.test(line))?.[1] ?? "EIO";
}

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

  settle(outcome: RangeOutcome, message: string): void {
    for (const done of this.callbacks) done(outcome, message);
  }
}

/** Clears ranges of one open file or device, one at a time, in order. */
export class RangeCleaner {
  readonly #fd: number;
  readonly #toolPath: string | undefined;
  #waiting: PendingRange[] = [];
  #running: PendingRange | null = null;
  #shell: LineChild | null = null;
  #deaths = 0;
  #closing = false;
  #stopped = false;
  #onClosed: (() => void)[] = [];

  /** `toolPath` replaces the search path of the tools. */
  constructor(fd: number, toolPath?: string) {
    this.#fd = fd;
    this.#toolPath = toolPath;
  }

  /** False when no more may wait: keep the range and come again when one of yours is done. */
  get hasRoom(): boolean {
    return this.#waiting.length < RANGES_WAITING_MAX;
  }

  /** Process id of the shell, for tests. */
  get shellPid(): number | undefined {
    return this.#shell?.pid;
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
    if (this.#running === null) queueMicrotask(() => this.#next());
  }

  /** Begins no more: what waits ends as "stopped", as does all that comes. A tool that runs is not disturbed. */
  stop(): void {
    this.#stopped = true;
    for (const range of this.#waiting.splice(0)) range.settle("stopped", STOPPED);
  }

  /** Finishes what waits, then ends the shell. */
  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      this.#onClosed.push(resolve);
      this.#next();
    });
  }

  #next(): void {
    if (this.#running !== null) return;
    const range = this.#waiting.shift();
    if (range === undefined) {
      this.#shell?.hold(this.#closing);
      if (this.#closing) this.#finishClosing();
      return;
    }
    if (this.#shell === null && this.#deaths >= DEATHS_MAX) {
      range.settle("unsupported", "the shell that clears ranges does not stay alive");
      this.#next();
      return;
    }
    this.#running = range;
    this.#shell ??= this.#startShell();
    this.#shell.hold(true);
    const lengthBytes = range.endBytes - range.offsetBytes;
    this.#shell.send(`${range.operation} ${range.offsetBytes} ${lengthBytes}`);
  }

  #startShell(): LineChild {
    const events = {
      onLine: (line: string) => this.#onAnswer(outcomeOf(line), line),
      onClose: () => this.#onShellClosed(),
    };
    const options =
      this.#toolPath === undefined
        ? { inheritedFd: this.#fd }
        : { inheritedFd: this.#fd, path: this.#toolPath };
    return startLineChild("/bin/sh", ["-c", SCRIPT], events, options);
  }

  #onAnswer(outcome: RangeOutcome, message: string): void {
    const range = this.#running;
    if (range === null) return;
    this.#running = null;
    this.#deaths = 0;
    range.settle(outcome, message);
    this.#next();
  }

  #onShellClosed(): void {
    this.#shell = null;
    const range = this.#running;
    this.#running = null;
    if (range !== null) {
      this.#deaths += 1;
      range.settle("died", "the shell that clears ranges ended before it answered");
    }
    this.#next();
  }

  #finishClosing(): void {
    if (this.#shell !== null) {
      // The shell's end calls back into #next, which comes here again.
      this.#shell.end();
      return;
    }
    for (const resolve of this.#onClosed.splice(0)) resolve();
  }
}
