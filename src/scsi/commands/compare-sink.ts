import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import type { Volume } from "../../volume/volume.ts";
import { STEP_BYTES } from "../limits.ts";
import type { DataSink } from "../task.ts";

/** Index of the first byte that differs in two arrays of equal length; -1 when none does. */
export function firstDifference(expected: Uint8Array, actual: Uint8Array): number {
  assert(expected.length === actual.length, "as many bytes are compared as there are");
  if (Buffer.compare(expected, actual) === 0) return -1;
  return expected.findIndex((byte, index) => byte !== actual[index]);
}

/** For `tryWrite`, which compares within one call. */
const scratch = new Uint8Array(STEP_BYTES);

/** Reads what a request would have written, piece by piece, and compares. */
class CompareRead extends IoRequest {
  override readonly kind = IoKind.read;
  readonly #volume: Volume;
  readonly #request: IoRequest;
  readonly #startBytes: number;
  readonly #actual: Uint8Array;
  #bufferIndex = 0;
  #bufferOffset = 0;
  #comparedBytes = 0;
  /** `advance` is running: a read that completes within its `submit` goes on in that loop, not one call deeper. */
  #advancing = false;
  #readDone = true;

  /** `startBytes`: where on the volume the data-out of the command begins. */
  constructor(volume: Volume, request: IoRequest, startBytes: number) {
    super();
    this.#volume = volume;
    this.#request = request;
    this.#startBytes = startBytes;
    this.#actual = new Uint8Array(Math.min(STEP_BYTES, request.lengthBytes));
  }

  /** Goes through the request until a read is under way or it has ended. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#readDone) this.#next();
    this.#advancing = false;
  }

  /** Compares what remains of the current buffer of the request, up to a step, or ends it. */
  #next(): void {
    this.#readDone = false;
    const request = this.#request;
    let expected = request.buffers[this.#bufferIndex];
    while (expected !== undefined && this.#bufferOffset === expected.length) {
      this.#bufferIndex += 1;
      this.#bufferOffset = 0;
      expected = request.buffers[this.#bufferIndex];
    }
    if (expected === undefined) {
      assert(this.#comparedBytes === request.lengthBytes, "the buffers hold what the request says");
      request.done(null);
      return;
    }
    this.lengthBytes = Math.min(this.#actual.length, expected.length - this.#bufferOffset);
    this.offsetBytes = request.offsetBytes + this.#comparedBytes;
    this.buffers = [this.#actual.subarray(0, this.lengthBytes)];
    this.#volume.submit(this);
  }

  override done(error: IoError | null): void {
    if (error !== null) {
      this.#request.done(error);
      return;
    }
    const from = this.#bufferOffset;
    const expected = this.#request.buffers[this.#bufferIndex];
    const [actual] = this.buffers;
    assert(expected !== undefined && actual !== undefined, "what was read is compared");
    const difference = firstDifference(expected.subarray(from, from + actual.length), actual);
    if (difference !== -1) {
      const offsetBytes = this.offsetBytes + difference - this.#startBytes;
      const context = { object: this.#volume.name, offsetBytes };
      this.#request.done(new IoError("miscompare", "the data differ", context));
      return;
    }
    this.#bufferOffset += actual.length;
    this.#comparedBytes += actual.length;
    this.#readDone = true;
    this.advance();
  }
}

/**
 * Takes data-out as a volume does, and compares it with what is on the volume. A difference is an {@link IoError} of the
 * kind "miscompare", whose offset counts from the start of the data-out, as INFORMATION does (SBC-3 5.24).
 */
export class CompareSink implements DataSink {
  readonly #volume: Volume;
  readonly #startBytes: number;

  constructor(volume: Volume, startBytes: number) {
    this.#volume = volume;
    this.#startBytes = startBytes;
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    let compared = 0;
    while (compared < lengthBytes) {
      const count = Math.min(STEP_BYTES, lengthBytes - compared);
      if (!this.#volume.tryRead(scratch, 0, count, offsetBytes + compared)) return false;
      const from = bufferOffset + compared;
      const equal = Buffer.compare(buffer.subarray(from, from + count), scratch.subarray(0, count));
      if (equal !== 0) return false;
      compared += count;
    }
    return true;
  }

  submit(request: IoRequest): void {
    assert(request.kind === IoKind.write, "data-out is written");
    new CompareRead(this.#volume, request, this.#startBytes).advance();
  }
}
