import { assert } from "../util/assert.ts";
import type { IoError } from "../util/io-error.ts";
import { IoRequest } from "../util/io-request.ts";

/** Told when a forwarded request is done; it reports to the original itself. */
export type ForwardEnd = (
  original: IoRequest,
  error: IoError | null,
  forwarded: ForwardedRequest,
) => void;

/**
 * A copy of a request that a filter or a slice sends on in its place, so that it sees the completion and may change the
 * range. The buffers stay those of the original.
 */
export class ForwardedRequest extends IoRequest {
  readonly #end: ForwardEnd;
  #original: IoRequest | null = null;
  /** For a filter that measures: when it was sent. */
  startedAt = 0;

  constructor(end: ForwardEnd) {
    super();
    this.#end = end;
  }

  /** Takes over the operation of `original`, moved by `shiftBytes`. */
  take(original: IoRequest, shiftBytes: number): void {
    assert(this.#original === null, "a forwarded request carries one request at a time");
    this.#original = original;
    this.kind = original.kind;
    this.offsetBytes = original.offsetBytes + shiftBytes;
    this.lengthBytes = original.lengthBytes;
    this.buffers = original.buffers;
    this.forceUnitAccess = original.forceUnitAccess;
    this.isUrgent = original.isUrgent;
  }

  override get abandoned(): boolean {
    return this.#original?.abandoned === true;
  }

  override done(error: IoError | null): void {
    const original = this.#original;
    assert(original !== null, "a request is done once");
    this.#original = null;
    this.buffers = [];
    this.#end(original, error, this);
  }
}

/** Forwarded requests that are used again, as many as were ever out at once. */
export class ForwardPool {
  readonly #free: ForwardedRequest[] = [];
  readonly #end: ForwardEnd;

  constructor(end: ForwardEnd) {
    this.#end = (original, error, forwarded) => {
      this.#free.push(forwarded);
      end(original, error, forwarded);
    };
  }

  take(original: IoRequest, shiftBytes: number): ForwardedRequest {
    const forwarded = this.#free.pop() ?? new ForwardedRequest(this.#end);
    forwarded.take(original, shiftBytes);
    return forwarded;
  }
}
