import type { PoolDevice, PoolSettings, Segment } from "../format/records.ts";
import { type CapturedMaps, captureMaps } from "../map/capture-maps.ts";
import type { PoolState } from "../map/pool-state.ts";

/** The pool as a checkpoint will have it: the state after the block `checkpointSeq` of the journal. */
export interface Image {
  readonly checkpointSeq: number;
  readonly nextVolumeId: number;
  readonly devices: readonly PoolDevice[];
  readonly segments: readonly Segment[];
  readonly settings: PoolSettings;
  readonly maps: CapturedMaps;
  /** Of the volumes in their order. */
  readonly ownedExtents: readonly number[];
}

/**
 * Takes the image, in one step: nothing else runs meanwhile (rule C). Its pages have to lie in its segments: no later one can be read before the
 * journal is replayed (rule G).
 */
export function captureImage(state: PoolState, generation: number, checkpointSeq: number): Image {
  state.space.checkpointCaptured();
  return {
    checkpointSeq,
    nextVolumeId: state.nextVolumeId,
    devices: [...state.devices],
    segments: [...state.addresses.segments],
    settings: state.settings,
    maps: captureMaps(state, generation),
    ownedExtents: [...state.volumes.values()].map(({ ownedExtents }) => ownedExtents),
  };
}
