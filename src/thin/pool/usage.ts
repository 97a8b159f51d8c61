/** What of a volume takes space, in bytes. */
export interface VolumeUsage {
  readonly uuid: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mappedBytes: number;
  /** Mapped since it was copied last; what its reservation is counted against. */
  readonly ownedBytes: number;
  readonly reservedBytes: number;
}

/** Where a pool's space is. Bytes. */
export interface PoolUsage {
  /** All extents of all devices. */
  readonly capacityBytes: number;
  /** The sum of the volumes' sizes. */
  readonly virtualBytes: number;
  /** The sum of what the volumes map; shared extents count once for each. */
  readonly mappedBytes: number;
  /** Extents that hold data. */
  readonly dataBytes: number;
  /** Mapped more than once: what would be needed besides, if nothing were shared. */
  readonly sharedBytes: number;
  readonly metadataBytes: number;
  /** Kept for volumes that have not used it yet. */
  readonly reservedBytes: number;
  /** Freed by records that are not durable yet. */
  readonly quarantinedBytes: number;
  readonly freeBytes: number;
  /** What a volume without a reservation could still take. */
  readonly usableBytes: number;
  /** Virtual size over capacity. */
  readonly overcommit: number;
  readonly volumes: readonly VolumeUsage[];
}
