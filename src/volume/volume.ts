import type { BlockDevice } from "../device/block-device.ts";
import type { IoRequest } from "../util/io-request.ts";

/** What a volume can do and how it likes to be used. The VPD pages and the contract suite read the same manifest. */
export interface VolumeCapabilities {
  readonly writable: boolean;
  /** Reads as zeros where never written, and takes space only as it is written (LBPME). */
  readonly thin: boolean;
  /** Discard is supported, in units of this many bytes; 0: it is not. */
  readonly discardGranularityBytes: number;
  /** Discarded ranges read as zeros (LBPRZ). */
  readonly discardZeroes: boolean;
  /** `extents` tells mapped from unmapped. */
  readonly extents: boolean;
  /** The capacity can change while it is open. */
  readonly resizable: boolean;
  /** Content survives `close`, and the death of the process. */
  readonly persistent: boolean;
  /** Smallest unit that is written without reading first, in bytes; a power of two. */
  readonly physicalBlockBytes: number;
  /** Preferred size of a large transfer, in bytes; 0 where unknown. */
  readonly optimalIoBytes: number;
  readonly rotational: boolean;
}

/** A run of equal state, for GET LBA STATUS (SBC-3 5.5) and image export. */
export interface VolumeExtent {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly mapped: boolean;
}

/** What happens to a volume under its users. Logical units turn these into unit attentions. */
export type VolumeEvent = "capacity-changed" | "content-replaced" | "space-low" | "gone";

/**
 * A disk's worth of bytes with an identity. The SCSI layer sees nothing else of storage.
 * `tryRead`, `tryWrite` and `submit` have the contract of `BlockDevice` (src/device/block-device.ts).
 */
export interface Volume extends Pick<BlockDevice, "tryRead" | "tryWrite" | "submit"> {
  /** Lower-case UUID. Device identifiers (VPD 83h) derive from it; it never changes for a volume. */
  readonly uuid: string;
  readonly name: string;
  readonly capabilities: VolumeCapabilities;
  readonly capacityBytes: number;

  /**
   * For a write that `tryWrite` has refused and that needs no forceUnitAccess: writes the bytes for the request's range within this call, and tells
   * the request in a later step that they count; of a failure perhaps within the call. The buffer is the caller's again when this returns. False:
   * nothing was done, and the caller submits the request with buffers of its own. Only volumes have it that can do better so than by `submit`.
   */
  tryBegin?(buffer: Uint8Array, bufferOffset: number, request: IoRequest): boolean;

  /**
   * The runs that cover `lengthBytes` from `offsetBytes`, in order, without gaps, `countMax` at the most.
   * Where `capabilities.extents` is false: one mapped run.
   */
  extents(offsetBytes: number, lengthBytes: number, countMax: number): Promise<VolumeExtent[]>;
  /** Asks the backing store for its size again; a change is announced as "capacity-changed". */
  refresh(): Promise<void>;
  /** Returns the function that unsubscribes. */
  subscribe(listener: (event: VolumeEvent) => void): () => void;
  /** Waits for what is running, flushes, lets go. Idempotent. */
  close(): Promise<void>;
}
