import { Geometry } from "../format/geometry.ts";
import { depthFor, LEAF_ENTRIES } from "../format/layout.ts";
import { NO_POINTER } from "../format/pointer.ts";
import type { VolumeRecord } from "../format/volume-record.ts";
import type { Findings } from "./findings.ts";
import type { PoolTree } from "./pool-tree.ts";

/** Leaves that a volume of this size has. */
export function leafCountOf(sizeBytes: number, extentBytes: number): number {
  return Math.ceil(Math.ceil(sizeBytes / extentBytes) / LEAF_ENTRIES);
}

/** Names and ids that must differ, and what each volume says of its map. `mappedOfLeaf` is by the leaf's number. */
export function checkVolumes(tree: PoolTree, mappedOfLeaf: Uint32Array, findings: Findings): void {
  const { root, volumes, superblock } = tree;
  const { extentBytes } = new Geometry(superblock.extentBytes);
  if (root.volumeCount !== volumes.length) {
    findings.error(`${volumes.length} volumes are there, the root says ${root.volumeCount}`);
  }
  const seen = new Set<string | number>();
  const sums = new Map<number, number>();
  for (const volume of volumes) {
    const { attributes, depth } = volume;
    const { id, name, uuid, sizeBytes } = attributes;
    for (const key of [id, `name ${name}`, uuid]) {
      if (seen.has(key)) findings.error(`two volumes are called ${key}`);
      seen.add(key);
    }
    if (id >= root.nextVolumeId) findings.error(`volume "${name}" has an id of the future, ${id}`);
    if (depth !== depthFor(leafCountOf(sizeBytes, extentBytes))) {
      findings.error(`volume "${name}" has a tree of ${depth} levels, which its size rules out`);
    }
    checkMapped(tree, volume, mappedOfLeaf, sums, findings);
  }
}

function checkMapped(
  tree: PoolTree,
  { attributes, mappedExtents, root }: VolumeRecord,
  mappedOfLeaf: Uint32Array,
  sums: Map<number, number>,
  findings: Findings,
): void {
  const found = root === NO_POINTER ? 0 : mappedUnder(tree, root.block, mappedOfLeaf, sums);
  if (found === mappedExtents) return;
  findings.error(
    `volume "${attributes.name}" maps ${found} extents, its record says ${mappedExtents}`,
  );
}

/** Each node is summed up once, however many volumes have it. The recursion is as deep as a tree can be. */
function mappedUnder(
  tree: PoolTree,
  block: number,
  mappedOfLeaf: Uint32Array,
  sums: Map<number, number>,
): number {
  const known = sums.get(block);
  if (known !== undefined) return known;
  const node = tree.nodes.get(block);
  let sum = 0;
  for (const child of node?.children ?? []) {
    if (child < 0) continue;
    sum +=
      node?.level === 1 ? (mappedOfLeaf[child] ?? 0) : mappedUnder(tree, child, mappedOfLeaf, sums);
  }
  sums.set(block, sum);
  return sum;
}
