import { assert } from "../../util/assert.ts";
import { readBytes, writeBytes } from "../../util/io-request.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { hasBlockAt, runEnd } from "../io/block-mask.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { appendRecord } from "../log/promises.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import type { PoolParts } from "./pool-parts.ts";

interface Entry {
  readonly phys: number;
  readonly mask: number;
  readonly base: number;
}

/**
 * Makes zeros of what the volume's last extent holds past its end: left over by a shrink, it must not come back when the volume
 * grows (rule R). To be done before the record of the growth, while the volume's gate is closed: nobody sees it until then. The
 * extent is replaced and not overwritten, because a snapshot may share it. Errors: space; IoError.
 */
export async function clearPastEnd(
  parts: Pick<PoolParts, "state" | "journal" | "health">,
  volume: ThinVolume,
): Promise<void> {
  const { state, journal, health } = parts;
  const { extentBytes } = state.geometry;
  const { id, sizeBytes, name } = volume.attributes;
  const end = sizeBytes % extentBytes;
  if (end === 0) return;
  const lext = Math.floor(sizeBytes / extentBytes);
  const leafIndex = Math.floor(lext / LEAF_ENTRIES);
  const { map } = volume.state;
  map.pinSlot(leafIndex);
  try {
    const entry = await entryAt(state, volume, lext);
    if (entry === null) return;
    const content = await readExtent(state, entry);
    if (content.subarray(end).every((byte) => byte === 0)) return;
    // A pool that has stopped meanwhile may be another host's.
    if (health.failure !== null) throw health.failure;
    content.fill(0, end);
    const phys = state.space.allocate(volume.state, 1);
    if (phys === NO_EXTENT) {
      throw new PoolError("space", `to grow ${name}, one extent of free space is needed`);
    }
    try {
      const { addresses } = state;
      await writeBytes(addresses.deviceOf(phys), addresses.offsetOf(phys), content);
    } catch (error) {
      state.space.giveBack(phys, 1);
      throw error;
    }
    await appendRecord(journal, { kind: "map", volume: id, lext, phys, run: 1, safe: false });
  } finally {
    map.unpinSlot(leafIndex);
  }
}

async function entryAt(state: PoolState, volume: ThinVolume, lext: number): Promise<Entry | null> {
  const { leaves, geometry } = state;
  const leaf = volume.state.map.leafAt(lext);
  if (leaf === NO_LEAF) return null;
  await leaves.load(leaf);
  const slot = lext % LEAF_ENTRIES;
  const word = leaves.entry(leaf, slot);
  if (word === 0) return null;
  const phys = physOf(word);
  if (!isPartial(word)) return { phys, mask: geometry.fullMask, base: NO_EXTENT };
  return { phys, mask: leaves.mask(leaf, slot), base: leaves.base(leaf, slot) };
}

async function readExtent(state: PoolState, entry: Entry): Promise<Buffer> {
  const { geometry, addresses } = state;
  const { extentBytes } = geometry;
  const pieces: Buffer[] = [];
  for (let at = 0; at < extentBytes;) {
    const end = runEnd(geometry, entry.mask, at, extentBytes);
    const source = hasBlockAt(geometry, entry.mask, at) ? entry.phys : entry.base;
    if (source === NO_EXTENT) pieces.push(Buffer.alloc(end - at));
    else {
      const offset = addresses.offsetOf(source) + at;
      pieces.push(await readBytes(addresses.deviceOf(source), offset, end - at));
    }
    at = end;
  }
  const content = Buffer.concat(pieces);
  assert(content.length === extentBytes, "an extent is read as a whole");
  return content;
}
