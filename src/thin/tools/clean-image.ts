import { PARTIAL_FLAG } from "../format/layout.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import type { LeafImage, PoolImage } from "./pool-image.ts";

/**
 * Leaves out of an image what no pool may hold, and notes it: pages can be whole and say what cannot be, and a pool that was written
 * from them would not be opened.
 */
export function cleanImage(
  image: PoolImage,
  newUuid: () => string,
  note: (message: string) => void,
): void {
  const seen = new Set<LeafImage>();
  let dropped = 0;
  for (const { leaves } of image.volumes.values()) {
    for (const leaf of leaves.values()) {
      if (seen.has(leaf)) continue;
      seen.add(leaf);
      dropped += dropEntries(leaf, image.places);
    }
  }
  if (dropped > 0) note(`entries of maps that cannot be, and are left out: ${dropped}`);
  rename(image, newUuid, note);
}

/** Returns how many. */
function dropEntries(leaf: LeafImage, places: ExtentPlaces): number {
  let dropped = 0;
  for (const [slot, word] of leaf.words.entries()) {
    if (word === 0 || isPossible(leaf, slot, places)) continue;
    leaf.words[slot] = 0;
    dropped += 1;
  }
  return dropped;
}

function isPossible(
  { words, bases, masks }: LeafImage,
  slot: number,
  { extentCount, geometry }: ExtentPlaces,
): boolean {
  const word = words[slot] ?? 0;
  const phys = (word & ~PARTIAL_FLAG) - 1;
  if (phys < 0 || phys >= extentCount) return false;
  if (word < PARTIAL_FLAG) return true;
  const mask = masks?.[slot] ?? 0;
  const base = (bases?.[slot] ?? 0) - 1;
  return mask > 0 && mask < geometry.fullMask && base < extentCount && base !== phys;
}

/** Of two volumes with one name or UUID the one with the higher id gets another. */
function rename(
  { volumes }: PoolImage,
  newUuid: () => string,
  note: (message: string) => void,
): void {
  const names = new Set([...volumes.values()].map(({ attributes }) => attributes.name));
  const seen = new Set<string>();
  for (const id of [...volumes.keys()].toSorted((a, b) => a - b)) {
    const volume = volumes.get(id)!;
    const { name, uuid } = volume.attributes;
    if (seen.has(uuid)) {
      volume.attributes = { ...volume.attributes, uuid: newUuid() };
      note(`two volumes have the UUID ${uuid}: volume ${id} gets another`);
    }
    if (seen.has(`name ${name}`)) {
      let other = `recovered-${id}`;
      while (names.has(other)) other += "-2";
      names.add(other);
      volume.attributes = { ...volume.attributes, name: other };
      note(`two volumes are called "${name}": volume ${id} is called "${other}" now`);
    }
    seen.add(uuid);
    seen.add(`name ${name}`);
  }
}
