import type { PoolState } from "../map/pool-state.ts";
import type { VolumeState } from "../map/volume-state.ts";
import { virtualBytes } from "./checks.ts";
import type { SpaceInUse } from "./thresholds.ts";

/** What of a volume takes space, in bytes. */
export interface VolumeUsage {
  readonly uuid: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mappedBytes: number;
  /** Mapped since it was copied last; what its reservation is counted against. Of a volume without one it can be out of date. */
  readonly ownedBytes: number;
  readonly reservedBytes: number;
}

/** Where a pool's space is. Bytes. */
export interface PoolUsage {
  /** All extents of all devices. */
  readonly capacityBytes: number;
  /** The sum of the sizes of the volumes that can be written. */
  readonly virtualBytes: number;
  /** The sum of what the volumes map; shared extents count once for each. */
  readonly mappedBytes: number;
  /** Extents that hold data, or held it and wait to come free. */
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

/** Counted where it is cheap: none of it looks at maps. */
export function usageOf(state: PoolState): PoolUsage {
  const { space, geometry, addresses } = state;
  const { extentBytes } = geometry;
  let mappedExtents = 0;
  const volumes: VolumeUsage[] = [];
  for (const volume of state.volumes.values()) {
    mappedExtents += volume.mappedExtents;
    volumes.push(volumeUsage(volume, extentBytes));
  }
  const capacityBytes = addresses.extentCount * extentBytes;
  const virtual = virtualBytes(state);
  return {
    capacityBytes,
    virtualBytes: virtual,
    mappedBytes: mappedExtents * extentBytes,
    dataBytes: space.dataExtents * extentBytes,
    sharedBytes: Math.max(0, mappedExtents - space.dataExtents) * extentBytes,
    metadataBytes: space.metadataExtents * extentBytes,
    reservedBytes: space.reservedOutstandingExtents * extentBytes,
    quarantinedBytes: space.quarantinedExtents * extentBytes,
    freeBytes: space.freeExtents * extentBytes,
    usableBytes: Math.max(0, space.usableExtents) * extentBytes,
    overcommit: virtual / capacityBytes,
    volumes,
  };
}

function volumeUsage(volume: VolumeState, extentBytes: number): VolumeUsage {
  const { uuid, name, sizeBytes, reservedBytes } = volume.attributes;
  return {
    uuid,
    name,
    sizeBytes,
    mappedBytes: volume.mappedExtents * extentBytes,
    ownedBytes: volume.ownedExtents * extentBytes,
    reservedBytes,
  };
}

/** What thresholds are about: what cannot be handed out. */
export function spaceInUse(state: PoolState): SpaceInUse {
  const { extentBytes } = state.geometry;
  const { extentCount } = state.addresses;
  const usedExtents = extentCount - state.space.freeExtents - state.space.punchingExtents;
  return { usedBytes: usedExtents * extentBytes, capacityBytes: extentCount * extentBytes };
}
