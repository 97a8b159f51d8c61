import { assert } from "../util/assert.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { FileSystemCalls } from "./file-system-calls.ts";
import { Transfer, type TransferEnd } from "./transfer.ts";
import type { WriteStop } from "./write-stop.ts";

/** Copies `bounce[from, from + length)` to or from the bytes of `buffers` that begin at `position`. */
function copy(
  buffers: readonly Uint8Array[],
  position: number,
  bounce: Uint8Array,
  intoBounce: boolean,
): void {
  let skip = position;
  let used = 0;
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    const length = Math.min(buffer.length - skip, bounce.length - used);
    if (intoBounce) bounce.set(buffer.subarray(skip, skip + length), used);
    else buffer.set(bounce.subarray(used, used + length), skip);
    used += length;
    skip = 0;
    if (used === bounce.length) return;
  }
}

/** Whether a write has to read first what it does not replace of an aligned block. */
export function isUnaligned(request: IoRequest, alignmentBytes: number): boolean {
  return request.offsetBytes % alignmentBytes !== 0 || request.lengthBytes % alignmentBytes !== 0;
}

/**
 * Past the page cache (O_DIRECT): memory, offset and length are aligned, so everything goes through a bounce buffer. A
 * write that does not fill its blocks reads them first; the caller lets no other request run meanwhile.
 */
export class DirectTransfer extends Transfer {
  readonly #bounce: Buffer;
  readonly #alignmentBytes: number;
  /** Where in the bounce buffer the bytes of the request begin, how many they are, and the aligned length around them. */
  #head = 0;
  #useful = 0;
  #span = 0;

  constructor(
    name: string,
    calls: FileSystemCalls,
    end: TransferEnd,
    stop: WriteStop,
    memory: { bounce: Buffer; alignmentBytes: number },
  ) {
    super(name, calls, end, stop);
    assert(memory.bounce.length % memory.alignmentBytes === 0, "a bounce buffer is aligned");
    this.#bounce = memory.bounce;
    this.#alignmentBytes = memory.alignmentBytes;
  }

  protected override step(request: IoRequest): void {
    const alignment = this.#alignmentBytes;
    const at = request.offsetBytes + this.moved;
    this.#head = at % alignment;
    const wanted = this.#head + request.lengthBytes - this.moved;
    this.#span = Math.min(Math.ceil(wanted / alignment) * alignment, this.#bounce.length);
    this.#useful = Math.min(wanted, this.#span) - this.#head;
    const buffers = [this.#bounce.subarray(0, this.#span)];
    if (request.kind === IoKind.read) {
      this.calls.read(this.fd, buffers, at - this.#head, this.#onRead);
    } else if (this.#useful === this.#span) {
      this.#write();
    } else {
      this.calls.read(this.fd, buffers, at - this.#head, this.#onReadToModify);
    }
  }

  readonly #onRead = (error: Error | null, count: number): void => {
    const useful = Math.min(count - this.#head, this.#useful);
    if (error === null && useful > 0) {
      const filled = this.#bounce.subarray(this.#head, this.#head + useful);
      copy(this.request.buffers, this.moved, filled, false);
    }
    this.advanced(error, useful);
  };

  readonly #onReadToModify = (error: Error | null, count: number): void => {
    // Less than all would mean that the aligned block reaches past the end: writing it would make the file longer.
    if (error !== null || count < this.#span) this.advanced(error, 0);
    else if (!this.isStopped()) this.#write();
  };

  #write(): void {
    const { request } = this;
    const target = this.#bounce.subarray(this.#head, this.#head + this.#useful);
    copy(request.buffers, this.moved, target, true);
    const at = request.offsetBytes + this.moved - this.#head;
    this.calls.write(this.fd, [this.#bounce.subarray(0, this.#span)], at, this.#onWritten);
  }

  readonly #onWritten = (error: Error | null, count: number): void => {
    this.advanced(error, Math.min(count - this.#head, this.#useful));
  };
}
