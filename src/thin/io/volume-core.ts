import { assert } from "../../util/assert.ts";
import { IoError, type IoErrorKind } from "../../util/io-error.ts";
import { IoKind, type IoRequest } from "../../util/io-request.ts";
import type { VolumeState } from "../map/volume-state.ts";
import { OperationPool } from "./device-operation.ts";
import type { Engine } from "./engine.ts";
import { ExtentLocks } from "./extent-locks.ts";
import { Gate } from "./gate.ts";

/** Waits until extents on their way into the map have arrived, or have come to nothing, and looks again. */
export interface QuotaWaiter {
  mappingEnded(): void;
}

/** What the parts of a volume's data path share. */
export class VolumeCore {
  readonly engine: Engine;
  readonly state: VolumeState;
  readonly gate: Gate = new Gate();
  readonly locks: ExtentLocks = new ExtentLocks();
  readonly operations: OperationPool;
  /** Extents on their way from unmapped to mapped, which the quota counts already. */
  mappingExtents = 0;
  isGone = false;
  #quotaWaiters: QuotaWaiter[] = [];

  constructor(engine: Engine, state: VolumeState) {
    this.engine = engine;
    this.state = state;
    this.operations = new OperationPool(engine.state.space, engine.state.leaves);
  }

  error(kind: IoErrorKind, message: string, offsetBytes: number = -1): IoError {
    return new IoError(kind, message, { object: this.state.attributes.name, offsetBytes });
  }

  /** Why a request cannot be served from `offsetBytes` on; null where it can. */
  refusal(request: IoRequest, offsetBytes: number, lengthBytes: number): IoError | null {
    const { attributes } = this.state;
    if (this.isGone) return this.error("gone", "the volume was deleted");
    if (this.engine.health.failure !== null) return this.engine.health.failure;
    if (request.kind === IoKind.flush) return null;
    if (request.kind !== IoKind.read && attributes.readOnly) {
      return this.error("read-only", "it cannot be written", offsetBytes);
    }
    // This way round it also refuses what is no number.
    if (offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes + lengthBytes <= attributes.sizeBytes) {
      return null;
    }
    return this.error("range", "the range lies past the end", offsetBytes);
  }

  abandoned(): IoError {
    return this.error("gone", "nobody wants it any more");
  }

  /** Extents that may still be mapped under the quota. */
  quotaLeft(): number {
    const { attributes, mappedExtents } = this.state;
    if (attributes.quotaBytes === 0) return Number.MAX_SAFE_INTEGER;
    const quotaExtents = Math.floor(attributes.quotaBytes / this.engine.geometry.extentBytes);
    return quotaExtents - mappedExtents - this.mappingExtents;
  }

  /**
   * For what finds the quota used up while extents are on their way: those may come to nothing, and where a block of the journal has
   * several of them, the last ones are counted twice until all are told.
   */
  waitForQuota(waiter: QuotaWaiter): void {
    assert(this.mappingExtents > 0, "nobody waits for what is not under way");
    this.#quotaWaiters.push(waiter);
  }

  /** To be called when `mappingExtents` has become less. */
  mappingEnded(): void {
    if (this.#quotaWaiters.length === 0) return;
    const woken = this.#quotaWaiters;
    this.#quotaWaiters = [];
    for (const waiter of woken) waiter.mappingEnded();
  }

  /** Whether nobody else sees the extent, so that it may be written in place; what is on its way to be dropped counts. */
  isExclusive(leaf: number, phys: number): boolean {
    const { leaves, space } = this.engine.state;
    return leaves.references(leaf) === 1 && space.references(phys) === 1;
  }
}
