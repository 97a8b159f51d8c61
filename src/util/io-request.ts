import { assert } from "./assert.ts";
import type { IoError } from "./io-error.ts";

/** The operations of a block device and of a volume. */
export const IoKind = {
  read: 0,
  write: 1,
  /** Everything that completed before is on stable media when this is done. No range. */
  flush: 2,
  /** The range need not be kept. It reads as zeros afterwards only where the traits say so. */
  discard: 3,
  /** The range reads as zeros afterwards; space may be given back. */
  writeZeroes: 4,
} as const;
export type IoKind = (typeof IoKind)[keyof typeof IoKind];

export function changesMedium(kind: IoKind): boolean {
  return kind !== IoKind.read && kind !== IoKind.flush;
}

/**
 * One asynchronous I/O operation. The owner subclasses it, fills it in, submits it, and leaves it and its buffers
 * alone until {@link done} is called, exactly once, possibly before `submit` returns.
 *
 * An operation owns its buffers until then even where the command behind it was aborted: the kernel may still be
 * writing into them.
 */
export abstract class IoRequest {
  kind: IoKind = IoKind.read;
  offsetBytes = 0;
  lengthBytes = 0;
  /** For read and write: memory of `lengthBytes` in all. */
  buffers: Uint8Array[] = [];
  /** For write, discard and writeZeroes: on stable media before it is done. */
  forceUnitAccess = false;
  /** For a read or write: it goes before all that waits. For signs of life, small and one at a time. */
  isUrgent = false;

  /**
   * True once nobody wants it any more, as when its command was aborted with its session. What changes the medium and has
   * not been started then never is: another initiator may be writing there by now. It is done with an error.
   */
  get abandoned(): boolean {
    return false;
  }

  /** Called once, with null when the operation did all that was asked. */
  abstract done(error: IoError | null): void;
}

class PromisedRequest extends IoRequest {
  readonly promise: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: IoError) => void = () => undefined;

  constructor(kind: IoKind, offsetBytes: number, lengthBytes: number, buffers: Uint8Array[] = []) {
    assert(
      Number.isSafeInteger(offsetBytes) && offsetBytes >= 0,
      "an I/O offset is a natural number",
    );
    super();
    this.kind = kind;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.buffers = buffers;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  override done(error: IoError | null): void {
    if (error === null) this.#resolve();
    else this.#reject(error);
  }
}

interface Submits {
  submit(request: IoRequest): void;
}

/** See {@link IoRequest.isUrgent}. */
interface Urgency {
  readonly isUrgent?: boolean;
}

function submitted(target: Submits, request: PromisedRequest): Promise<void> {
  target.submit(request);
  return request.promise;
}

/** Promise forms of the operations, for control paths and tests. The data path subclasses {@link IoRequest}. */
export async function readBytes(
  target: Submits,
  offsetBytes: number,
  lengthBytes: number,
  urgency: Urgency = {},
): Promise<Buffer> {
  const buffer = Buffer.alloc(lengthBytes);
  await readInto(target, offsetBytes, buffer, urgency);
  return buffer;
}

/** Fills the buffer, which is the request's until then. */
export function readInto(
  target: Submits,
  offsetBytes: number,
  buffer: Uint8Array,
  { isUrgent = false }: Urgency = {},
): Promise<void> {
  const request = new PromisedRequest(IoKind.read, offsetBytes, buffer.length, [buffer]);
  request.isUrgent = isUrgent;
  return submitted(target, request);
}

export function writeBytes(target: Submits, offsetBytes: number, data: Uint8Array): Promise<void> {
  return submitted(target, new PromisedRequest(IoKind.write, offsetBytes, data.length, [data]));
}

/** Resolves when the data are on stable media: a write with {@link IoRequest.forceUnitAccess}. */
export function writeStable(
  target: Submits,
  offsetBytes: number,
  data: Uint8Array,
  { isUrgent = false }: Urgency = {},
): Promise<void> {
  const request = new PromisedRequest(IoKind.write, offsetBytes, data.length, [data]);
  request.forceUnitAccess = true;
  request.isUrgent = isUrgent;
  return submitted(target, request);
}

export function flush(target: Submits): Promise<void> {
  return submitted(target, new PromisedRequest(IoKind.flush, 0, 0));
}

export function discard(target: Submits, offsetBytes: number, lengthBytes: number): Promise<void> {
  return submitted(target, new PromisedRequest(IoKind.discard, offsetBytes, lengthBytes));
}

export function writeZeroes(
  target: Submits,
  offsetBytes: number,
  lengthBytes: number,
): Promise<void> {
  return submitted(target, new PromisedRequest(IoKind.writeZeroes, offsetBytes, lengthBytes));
}
