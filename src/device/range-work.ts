import {
  RangeOperation,
  type RangeCleaner,
  type RangeOutcome,
} from "../../native-free/hole-punch.ts";
import { IoError } from "../util/io-error.ts";
import { IoKind, IoRequest } from "../util/io-request.ts";
import { ZEROES_PIECE_BYTES, ZEROES_WRITTEN_BYTES_MAX } from "./limits.ts";
import { RequestQueue } from "./request-queue.ts";
import { kindOfCode } from "./system-error.ts";
import { zeroBuffer } from "./zero-buffer.ts";

/** What range work asks of the device. */
export interface RangeHost {
  readonly name: string;
  readonly isBlockDevice: boolean;
  /** Takes a write of zeros like any other write. */
  submitZeroes(request: IoRequest): void;
  /** The range is cleared, or the error tells why not. */
  cleared(request: IoRequest, error: IoError | null): void;
}

/** The ways to do each, the best first. */
const WAYS = {
  fileDiscard: [RangeOperation.punchHole],
  fileZeroes: [RangeOperation.zeroFile, RangeOperation.punchHole],
  deviceDiscard: [RangeOperation.discardDevice],
  deviceZeroes: [RangeOperation.zeroDevice],
} as const satisfies Record<string, readonly RangeOperation[]>;

/** Writes zeros over the range of another request, piece after piece. */
class ZeroFill extends IoRequest {
  readonly #host: RangeHost;
  readonly #whole: IoRequest;
  readonly #endBytes: number;

  constructor(host: RangeHost, whole: IoRequest) {
    super();
    this.#host = host;
    this.#whole = whole;
    this.#endBytes = whole.offsetBytes + whole.lengthBytes;
    this.kind = IoKind.write;
    this.offsetBytes = whole.offsetBytes;
  }

  submitPiece(): void {
    this.lengthBytes = Math.min(this.#endBytes - this.offsetBytes, ZEROES_PIECE_BYTES);
    this.buffers = [zeroBuffer(this.lengthBytes)];
    this.#host.submitZeroes(this);
  }

  override done(error: IoError | null): void {
    this.offsetBytes += this.lengthBytes;
    if (error === null && this.offsetBytes < this.#endBytes) this.submitPiece();
    else this.#host.cleared(this.#whole, error);
  }
}

/** Discards and zeroes ranges by the system's tools, and zeroes by writing where no tool can. */
export class RangeWork {
  readonly #host: RangeHost;
  readonly #cleaner: RangeCleaner;
  readonly #waiting = new RequestQueue();
  /** What turned out not to work here is not tried again. */
  readonly #unsupported = new Set<RangeOperation>();
  #busy = 0;
  #onIdle: (() => void) | null = null;

  constructor(host: RangeHost, cleaner: RangeCleaner) {
    this.#host = host;
    this.#cleaner = cleaner;
  }

  submit(request: IoRequest): void {
    this.#busy += 1;
    if (this.#cleaner.hasRoom) this.#start(request);
    else this.#waiting.push(request);
  }

  /** Calls back when nothing runs or waits; at once if so. */
  whenIdle(callback: () => void): void {
    if (this.#busy === 0) callback();
    else this.#onIdle = callback;
  }

  #start(request: IoRequest): void {
    const zeroes = request.kind === IoKind.writeZeroes;
    if (zeroes && request.lengthBytes <= ZEROES_WRITTEN_BYTES_MAX) this.#fill(request);
    else this.#attempt(request, 0);
  }

  #ways(request: IoRequest): readonly RangeOperation[] {
    const zeroes = request.kind === IoKind.writeZeroes;
    if (this.#host.isBlockDevice) return zeroes ? WAYS.deviceZeroes : WAYS.deviceDiscard;
    return zeroes ? WAYS.fileZeroes : WAYS.fileDiscard;
  }

  #attempt(request: IoRequest, way: number): void {
    const operation = this.#ways(request)[way];
    if (operation === undefined) {
      if (request.kind === IoKind.writeZeroes) this.#fill(request);
      else this.#finish(request, this.#error(request, "unsupported", ""));
      return;
    }
    if (this.#unsupported.has(operation)) {
      this.#attempt(request, way + 1);
      return;
    }
    this.#cleaner.clear(operation, request.offsetBytes, request.lengthBytes, (outcome, message) => {
      this.#startWaiting();
      if (outcome === "") return this.#finish(request, null);
      if (outcome === "unsupported") this.#unsupported.add(operation);
      // An invalid range is one that this way cannot take, such as less than a block of the device.
      if (outcome === "unsupported" || outcome === "EINVAL") this.#attempt(request, way + 1);
      else this.#finish(request, this.#error(request, outcome, message));
    });
  }

  #error(request: IoRequest, outcome: RangeOutcome, message: string): IoError {
    const { name: object } = this.#host;
    const { offsetBytes } = request;
    if (outcome === "unsupported") {
      return new IoError("unsupported", "discard is not supported", { object, offsetBytes });
    }
    const what = `clearing a range failed: ${message}`;
    return new IoError(kindOfCode(outcome), what, { object, offsetBytes });
  }

  #fill(request: IoRequest): void {
    const finish = (whole: IoRequest, error: IoError | null): void => this.#finish(whole, error);
    const host = this.#host;
    const filling: RangeHost = {
      name: host.name,
      isBlockDevice: host.isBlockDevice,
      submitZeroes: (piece) => host.submitZeroes(piece),
      cleared: finish,
    };
    new ZeroFill(filling, request).submitPiece();
  }

  #startWaiting(): void {
    while (this.#cleaner.hasRoom) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#start(request);
    }
  }

  #finish(request: IoRequest, error: IoError | null): void {
    this.#busy -= 1;
    this.#host.cleared(request, error);
    if (this.#busy > 0 || this.#onIdle === null) return;
    const callback = this.#onIdle;
    this.#onIdle = null;
    callback();
  }
}
