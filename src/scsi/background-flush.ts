import type { IoError } from "../util/io-error.ts";
import { IoKind, IoRequest } from "../util/io-request.ts";
import type { LogicalUnit } from "./logical-unit.ts";

/**
 * A flush that no command waits for. Its failure goes to the log; the volume refuses what comes after it ("failed"),
 * so the initiator learns of it from its next command.
 */
export class BackgroundFlush extends IoRequest {
  override readonly kind: IoKind = IoKind.flush;
  readonly #unit: LogicalUnit;

  constructor(unit: LogicalUnit) {
    super();
    this.#unit = unit;
  }

  override done(error: IoError | null): void {
    if (error !== null) this.#unit.reportIoError(error, null);
  }
}
