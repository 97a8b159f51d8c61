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

/** What range work needs of a {@link RangeCleaner}. */
export type Cleaner = Pick<RangeCleaner, "clear" | "hasRoom">;

/** What range work asks of the device. */
export interface RangeHost {
  readonly name: string;
  readonly isBlockDevice: boolean;
  /**
   * Blocks that a write of a part of them reads, changes and writes back; 0 where there are none. A tool clears whole
   * ones only: what it cleared of a part could come back with such a write of the other part.
   */
  readonly modifiedBlockBytes: number;
  /** What changes of the medium are refused with; null: they are made. */
  refusal(): IoError | null;
  /** Takes a write of zeros like any other write. */
  submitZeroes(request: IoRequest): void;
  /** Flushes, and tells how that went. */
  flushThen(callback: (error: IoError | null) => void): void;
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

/**
 * A tool opens the device anew, and not exclusively, for this process has that. The kernel then clears no range with
 * dirty pages in its cache, and says that the device is busy. A flush helps, unless somebody goes on writing there.
 */
const BUSY_RETRIES_MAX = 3;

interface Range {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Writes zeros over a range, piece after piece. */
class ZeroFill extends IoRequest {
  readonly #submit: (piece: IoRequest) => void;
  readonly #end: (error: IoError | null) => void;
  readonly #endBytes: number;

  constructor(
    submit: (piece: IoRequest) => void,
    range: Range,
    end: (error: IoError | null) => void,
  ) {
    super();
    this.#submit = submit;
    this.#end = end;
    this.#endBytes = range.endBytes;
    this.kind = IoKind.write;
    this.offsetBytes = range.startBytes;
  }

  submitPiece(): void {
    this.lengthBytes = Math.min(this.#endBytes - this.offsetBytes, ZEROES_PIECE_BYTES);
    this.buffers = [zeroBuffer(this.lengthBytes)];
    this.#submit(this);
  }

  override done(error: IoError | null): void {
    this.offsetBytes += this.lengthBytes;
    if (error === null && this.offsetBytes < this.#endBytes) this.submitPiece();
    else this.#end(error);
  }
}

/** One request on its way through the ways. */
class RangeJob {
  readonly request: IoRequest;
  readonly ways: readonly RangeOperation[];
  /** What is left to a tool: the whole blocks of the request. Empty when it has none. */
  readonly startBytes: number;
  readonly endBytes: number;
  way = 0;
  retries = 0;

  /** `blockBytes`: see {@link RangeHost.modifiedBlockBytes}. */
  constructor(request: IoRequest, ways: readonly RangeOperation[], blockBytes: number) {
    this.request = request;
    this.ways = ways;
    const unit = Math.max(1, blockBytes);
    this.startBytes = Math.ceil(request.offsetBytes / unit) * unit;
    this.endBytes = Math.floor((request.offsetBytes + request.lengthBytes) / unit) * unit;
  }
}

/** Discards and zeroes ranges by the system's tools, and zeroes by writing where no tool can. */
export class RangeWork {
  readonly #host: RangeHost;
  readonly #cleaner: Cleaner;
  readonly #waiting = new RequestQueue();
  /** What turned out not to work here is not tried again. */
  readonly #unsupported = new Set<RangeOperation>();
  #busy = 0;
  #onIdle: (() => void) | null = null;

  constructor(host: RangeHost, cleaner: Cleaner) {
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
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      this.#finish(request, refusal);
      return;
    }
    const zeroes = request.kind === IoKind.writeZeroes;
    const job = new RangeJob(request, this.#waysOf(request), this.#host.modifiedBlockBytes);
    const few = zeroes && request.lengthBytes <= ZEROES_WRITTEN_BYTES_MAX;
    if (few || job.startBytes >= job.endBytes) this.#fill(request);
    else this.#fillEdges(job);
  }

  /** Writes zeros over the parts of blocks at the ends of a request, before a tool gets the rest. */
  #fillEdges(job: RangeJob): void {
    const { request, startBytes, endBytes } = job;
    const first = { startBytes: request.offsetBytes, endBytes: startBytes };
    const last = { startBytes: endBytes, endBytes: request.offsetBytes + request.lengthBytes };
    const fillLast = (): void => this.#fillEdge(request, last, () => this.#attempt(job));
    this.#fillEdge(request, first, fillLast);
  }

  #fillEdge(request: IoRequest, edge: Range, then: () => void): void {
    if (edge.startBytes === edge.endBytes) then();
    else {
      this.#writeZeroes(edge, (error) => {
        if (error === null) then();
        else this.#finish(request, error);
      });
    }
  }

  #waysOf(request: IoRequest): readonly RangeOperation[] {
    const zeroes = request.kind === IoKind.writeZeroes;
    if (this.#host.isBlockDevice) return zeroes ? WAYS.deviceZeroes : WAYS.deviceDiscard;
    return zeroes ? WAYS.fileZeroes : WAYS.fileDiscard;
  }

  #refusal(request: IoRequest): IoError | null {
    const refusal = this.#host.refusal();
    if (refusal !== null || !request.abandoned) return refusal;
    return new IoError("gone", "nobody wants it any more", { object: this.#host.name });
  }

  #attempt(job: RangeJob): void {
    const { request } = job;
    const refusal = this.#host.refusal();
    const operation = job.ways[job.way];
    if (refusal !== null) {
      this.#finish(request, refusal);
    } else if (operation === undefined) {
      if (request.kind === IoKind.writeZeroes) this.#fill(request);
      else this.#finish(request, this.#error(request, "unsupported", ""));
    } else if (this.#unsupported.has(operation)) {
      this.#attemptOtherwise(job);
    } else if (!this.#cleaner.hasRoom) {
      this.#waiting.push(request);
    } else {
      const { startBytes, endBytes } = job;
      this.#cleaner.clear(operation, startBytes, endBytes - startBytes, (outcome, message) => {
        this.#answered(job, operation, outcome, message);
        this.#startWaiting();
      });
    }
  }

  #attemptOtherwise(job: RangeJob): void {
    job.way += 1;
    this.#attempt(job);
  }

  #answered(
    job: RangeJob,
    operation: RangeOperation,
    outcome: RangeOutcome,
    message: string,
  ): void {
    const { request } = job;
    if (outcome === "") {
      this.#finish(request, null);
    } else if (outcome === "unsupported") {
      this.#unsupported.add(operation);
      this.#attemptOtherwise(job);
    } else if (outcome === "EINVAL") {
      // A range that this way cannot take, such as less than a block of the device.
      this.#attemptOtherwise(job);
    } else if (outcome === "EBUSY" && job.retries < BUSY_RETRIES_MAX) {
      job.retries += 1;
      this.#host.flushThen((error) => {
        if (error === null) this.#attempt(job);
        else this.#finish(request, error);
      });
    } else if (outcome === "EBUSY" && request.kind === IoKind.writeZeroes) {
      // Somebody goes on writing next to it, in the same pages. To write the zeros works in any case.
      this.#attemptOtherwise(job);
    } else {
      this.#finish(request, this.#error(request, outcome, message));
    }
  }

  #error(request: IoRequest, outcome: RangeOutcome, message: string): IoError {
    const { name: object } = this.#host;
    const { offsetBytes } = request;
    const refusal = this.#host.refusal();
    if (outcome === "stopped" && refusal !== null) return refusal;
    if (outcome === "unsupported") {
      return new IoError("unsupported", "discard is not supported", { object, offsetBytes });
    }
    const what = `clearing a range failed: ${message}`;
    return new IoError(kindOfCode(outcome), what, { object, offsetBytes });
  }

  #fill(request: IoRequest): void {
    const startBytes = request.offsetBytes;
    const range = { startBytes, endBytes: startBytes + request.lengthBytes };
    this.#writeZeroes(range, (error) => this.#finish(request, error));
  }

  #writeZeroes(range: Range, end: (error: IoError | null) => void): void {
    const submit = (piece: IoRequest): void => this.#host.submitZeroes(piece);
    new ZeroFill(submit, range, end).submitPiece();
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
