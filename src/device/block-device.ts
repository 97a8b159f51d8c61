import type { IoError } from "../util/io-error.ts";
import type { IoRequest } from "../util/io-request.ts";

/** What a block device is like. Fixed while it is open; all sizes are powers of two, in bytes. */
export interface DeviceTraits {
  /** The smallest unit that the device itself addresses; 1 for an image file. */
  readonly logicalBlockBytes: number;
  /** The smallest unit that it writes without reading first. */
  readonly physicalBlockBytes: number;
  /** Preferred size of one large transfer; 0 where unknown. */
  readonly optimalIoBytes: number;
  /** Ranges smaller than this, or not aligned to it, free nothing when discarded; 0: discard is not supported. */
  readonly discardGranularityBytes: number;
  /** A discarded range reads as zeros (a punched hole does; many disks promise nothing). */
  readonly discardZeroes: boolean;
  readonly readOnly: boolean;
  /** True for spinning disks. */
  readonly rotational: boolean;
}

/**
 * A block device or image file, and everything that is stacked on one.
 *
 * There are two ways in. `tryRead` and `tryWrite` serve what is expected to be resident within the turn of the event
 * loop: they return true when all is done, and false when nothing is promised (not resident, busy, an error) and the
 * caller has to `submit` the same range. They never throw for an I/O condition, so an error is always reported by
 * `submit`, with its reason. Both return false outside the capacity.
 *
 * A write that `tryWrite` or `submit` completed survives the death of this process (it is in the kernel's page cache at
 * least); only `flush`, or `forceUnitAccess`, makes it survive the loss of power.
 */
export interface BlockDevice {
  /** For logs and messages: the path, or what a filter calls itself. */
  readonly name: string;
  readonly traits: DeviceTraits;
  /** Changes only in `refreshCapacity`, or where the device learns that it shrank. */
  readonly capacityBytes: number;

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean;
  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean;
  submit(request: IoRequest): void;

  /**
   * Nothing more is begun that changes the medium, for somebody else may be writing there by now: what waits is done with
   * this error, and so is what comes later. Only calls of the system that are under way go on. Reads and flushes are
   * served. For good; the first error stays.
   */
  refuseWrites(error: IoError): void;
  /**
   * Tells when a flush has failed, also one that nobody has asked for: writes that were acknowledged may be lost. Once, at
   * once where it has happened. Returns the function that unsubscribes.
   */
  onFlushFailure(listener: (error: IoError) => void): () => void;

  /** Asks the system for the capacity anew; resolves with it, in bytes. */
  refreshCapacity(): Promise<number>;
  /** Waits for what is running, then lets go of the device. No flush: the owner decides. Idempotent. */
  close(): Promise<void>;
}
