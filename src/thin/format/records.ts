/** What a volume is called and promised; the map is not part of it. */
export interface VolumeAttributes {
  /** Given once, never again in the life of the pool; 1 and up. */
  readonly id: number;
  /** Lower-case UUID. */
  readonly uuid: string;
  /** Unique in the pool; {@link isVolumeName}. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** It was made as a snapshot: what `snapshot list` shows. Snapshots and volumes are equal otherwise. */
  readonly isSnapshot: boolean;
  /** The volume that it was copied from, for people; 0: none. That one may be gone. */
  readonly originId: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Space that is kept for it, in bytes. */
  readonly reservedBytes: number;
  /** The most that it may map, in bytes; 0: no limit. */
  readonly quotaBytes: number;
}

/** A device of the pool, as the pool knows it. */
export interface PoolDevice {
  /** Lower-case UUID, also in its superblock. */
  readonly uuid: string;
  /** Its bytes when it was added or grown last; the tail copies of the superblock hang on it. */
  readonly sizeBytes: number;
}

/**
 * A run of extents on a device. Extents of the pool are numbered through all segments in their order, which never changes:
 * a new device, or one that has grown, adds a segment at the end.
 */
export interface Segment {
  /** Index into the pool's devices. */
  readonly device: number;
  /** Where its first extent begins on the device, in bytes. */
  readonly offsetBytes: number;
  readonly extents: number;
  /**
   * Extents of the segment from here on have never been written since the pool made them zeros; equal to `extents` where nothing
   * is known. It is moved on, durably, before an extent past it is handed out.
   */
  readonly virginFrom: number;
}

/** Settings of the pool that are kept in it. Bytes and shares of 1. */
export interface PoolSettings {
  readonly name: string;
  /** The sum of the volumes' sizes may be this many times the capacity; 0: no limit. */
  readonly overcommitMax: number;
  /** Shares of physical space in use at which the pool warns, ascending. */
  readonly thresholds: readonly number[];
}

/**
 * What the journal says. A map record never crosses a leaf (see `LEAF_ENTRIES`). `safe` promises that the record may be replayed
 * after a power loss although its data may not have reached the media (rule B); unmap and virgin records are safe too.
 */
export type JournalRecord =
  | {
      readonly kind: "map";
      readonly volume: number;
      readonly lext: number;
      readonly phys: number;
      readonly run: number;
      readonly safe: boolean;
    }
  | {
      readonly kind: "partial";
      readonly volume: number;
      readonly lext: number;
      readonly phys: number;
      /** Unsigned; neither 0 nor full. */
      readonly mask: number;
      /** The extent of the other blocks, or NO_EXTENT: they are zeros. */
      readonly base: number;
    }
  | { readonly kind: "unmap"; readonly volume: number; readonly lext: number; readonly run: number }
  | { readonly kind: "create"; readonly attributes: VolumeAttributes }
  /** The new volume is what `source` is; several in one block are one instant. */
  | { readonly kind: "snapshot"; readonly source: number; readonly attributes: VolumeAttributes }
  /** `volume` becomes, in content and size, what `source` is; its own name and identity stay. */
  | { readonly kind: "rollback"; readonly volume: number; readonly source: number }
  | { readonly kind: "resize"; readonly volume: number; readonly sizeBytes: number }
  | { readonly kind: "delete"; readonly volume: number }
  /** Name, flags, reservation and quota; id, uuid, size and origin stay. */
  | { readonly kind: "attributes"; readonly attributes: VolumeAttributes }
  | { readonly kind: "add-device"; readonly device: PoolDevice; readonly segment: Segment }
  | {
      readonly kind: "grow-device";
      readonly device: number;
      readonly sizeBytes: number;
      readonly segment: Segment;
    }
  | { readonly kind: "virgin"; readonly segment: number; readonly from: number }
  | { readonly kind: "settings"; readonly settings: PoolSettings }
  | { readonly kind: "barrier"; readonly upto: number };

/** Whether a power loss may replay the record without a barrier over it. */
export function isSafe(record: JournalRecord): boolean {
  return (
    record.kind === "unmap" || record.kind === "virgin" || (record.kind === "map" && record.safe)
  );
}
