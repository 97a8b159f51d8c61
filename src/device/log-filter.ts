import type { IoError } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice } from "./block-device.ts";
import { DeviceFilter } from "./device-filter.ts";
import { ForwardPool } from "./forwarded-request.ts";

/** One finished operation. */
export interface IoRecord {
  readonly device: string;
  readonly operation: keyof typeof IoKind;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly forceUnitAccess: boolean;
  /** Served within the turn of the event loop. */
  readonly synchronous: boolean;
  readonly error: IoError | null;
}

const OPERATIONS = Object.fromEntries(
  Object.entries(IoKind).map(([name, kind]) => [kind, name]),
) as Record<IoKind, keyof typeof IoKind>;

/** Tells of every operation that is done. For following a fault, not for every day: each record is an object. */
export class LogFilter extends DeviceFilter {
  readonly #record: (record: IoRecord) => void;
  readonly #forwards = new ForwardPool((original, error) => {
    this.#tell(original, error);
    original.done(error);
  });

  constructor(below: BlockDevice, record: (record: IoRecord) => void) {
    super(below, below.name);
    this.#record = record;
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const done = this.below.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
    if (done) this.#tellSynchronous("read", offsetBytes, lengthBytes);
    return done;
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const done = this.below.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
    if (done) this.#tellSynchronous("write", offsetBytes, lengthBytes);
    return done;
  }

  override submit(request: IoRequest): void {
    this.below.submit(this.#forwards.take(request, 0));
  }

  #tellSynchronous(operation: "read" | "write", offsetBytes: number, lengthBytes: number): void {
    this.#record({
      device: this.name,
      operation,
      offsetBytes,
      lengthBytes,
      forceUnitAccess: false,
      synchronous: true,
      error: null,
    });
  }

  #tell(request: IoRequest, error: IoError | null): void {
    this.#record({
      device: this.name,
      operation: OPERATIONS[request.kind],
      offsetBytes: request.offsetBytes,
      lengthBytes: request.lengthBytes,
      forceUnitAccess: request.forceUnitAccess,
      synchronous: false,
      error,
    });
  }
}
