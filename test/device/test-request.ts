import type { IoError } from "../../src/util/io-error.ts";
import { type IoKind, IoRequest } from "../../src/util/io-request.ts";

/** A request that remembers how it ended. */
export class TestRequest extends IoRequest {
  /** How often `done` was called. */
  doneCount = 0;
  error: IoError | null = null;
  isAbandoned = false;
  readonly ended: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor(kind: IoKind, offsetBytes: number = 0, buffers: Uint8Array[] | number = 0) {
    super();
    this.kind = kind;
    this.offsetBytes = offsetBytes;
    if (typeof buffers === "number") this.lengthBytes = buffers;
    else {
      this.buffers = buffers;
      for (const buffer of buffers) this.lengthBytes += buffer.length;
    }
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override get abandoned(): boolean {
    return this.isAbandoned;
  }

  override done(error: IoError | null): void {
    this.doneCount += 1;
    this.error = error;
    this.#resolve();
  }
}
