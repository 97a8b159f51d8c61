import type { PoolDevice, PoolSettings, Segment } from "../format/records.ts";
import { NODE_LEAVES } from "../format/layout.ts";
import { type CapturedMaps, captureMaps } from "../map/capture-maps.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import type { PoolState } from "../map/pool-state.ts";

/** Where a leaf is first met: what its page says of itself. */
export interface LeafName {
  readonly volume: number;
  readonly index: number;
}

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
  readonly leafNames: ReadonlyMap<number, LeafName>;
}

/** Takes the image, in one step: nothing else runs meanwhile (rule C). */
export function captureImage(state: PoolState, generation: number, checkpointSeq: number): Image {
  const maps = captureMaps(state, generation);
  return {
    checkpointSeq,
    nextVolumeId: state.nextVolumeId,
    devices: [...state.devices],
    segments: [...state.addresses.segments],
    settings: state.settings,
    maps,
    ownedExtents: [...state.volumes.values()].map(({ ownedExtents }) => ownedExtents),
    leafNames: nameLeaves(state, maps),
  };
}

/** Finds the leaves that were captured in the maps of volumes, through the nodes above them: these are captured as well. */
function nameLeaves(state: PoolState, { leaves, nodes }: CapturedMaps): Map<number, LeafName> {
  const wanted = new Set(leaves.map(({ leaf }) => leaf));
  const names = new Map<number, LeafName>();
  for (const { level, index, volume } of nodes) {
    if (level !== 1) continue;
    const ids = state.volumes.get(volume)?.map.leafIds ?? new Uint32Array();
    const first = index * NODE_LEAVES;
    for (const [slot, leaf] of ids.subarray(first, first + NODE_LEAVES).entries()) {
      if (leaf !== NO_LEAF && wanted.has(leaf)) names.set(leaf, { volume, index: first + slot });
    }
  }
  return names;
}
