import { chooseReplay, type FoundBlock } from "../checkpoint/journal-scan.ts";
import { LEAF_ENTRIES, PARTIAL_FLAG } from "../format/layout.ts";
import type { JournalRecord } from "../format/records.ts";
import { RecordJudge } from "./check-records.ts";
import type { Findings } from "./findings.ts";
import type { LocatedPool } from "./locate-pool.ts";
import { imageOfTree, type LeafImage, type PoolImage } from "./pool-image.ts";
import type { PoolTree } from "./pool-tree.ts";
import { ImageReplay, placesWith } from "./replay-image.ts";

/** What of a checkpoint's maps only the journal tells to be right or wrong. */
export interface Suspicion {
  /** Extents with pages of the checkpoint. */
  readonly metadata: ReadonlySet<number>;
  /** Numbers of leaves that name one of them as data. */
  readonly leaves: readonly number[];
}

interface NumberedRecord {
  readonly record: JournalRecord;
  readonly seq: number;
}

/**
 * Judges the records behind the checkpoint, and what they lead to. A checkpoint's maps are as of when it began, its pages lie in extents that were
 * free when they were written: what was mapped in the beginning and given up since may hold one of them. So it is the maps after the
 * journal that must not name extents with pages: those that a power loss leaves, and those that there are as long as the system runs. Only
 * leaves that can name one are read again.
 */
export async function checkReplay(
  pool: LocatedPool,
  tree: PoolTree,
  blocks: readonly FoundBlock[],
  suspicion: Suspicion,
  findings: Findings,
): Promise<void> {
  const records = judged(tree, blocks, findings);
  const durable = chooseReplay(blocks, false, tree.superblock.checkpointSeq).records.length;
  checkDevices(pool, tree, records.slice(0, durable), findings);
  const indexes = indexesOf(tree, records, suspicion);
  if (indexes.size === 0) return;
  // What is wrong with a page was said when it was read before.
  const image = await imageOfTree(tree, () => undefined, indexes);
  const places = placesWith(pool, tree, blocks);
  const replay = new ImageReplay({ ...image, places });
  const named = new Set<number>();
  for (const [at, { record }] of records.entries()) {
    if (at === durable) addNamed(image, suspicion.metadata, named);
    if (isMapOf(record) && !indexes.has(indexOf(record.lext))) continue;
    replay.apply(record);
  }
  addNamed(image, suspicion.metadata, named);
  for (const phys of named) {
    findings.error(`extent ${phys} holds metadata, and a map names it as data`);
  }
}

/** The records up to the first that cannot be, barriers apart. */
function judged(
  tree: PoolTree,
  blocks: readonly FoundBlock[],
  findings: Findings,
): NumberedRecord[] {
  const judge = new RecordJudge(tree);
  const found: NumberedRecord[] = [];
  for (const { seq, records } of blocks) {
    for (const record of records) {
      const complaint = judge.judge(record);
      if (complaint !== null) {
        findings.error(`journal block ${seq} has a record that cannot be: ${complaint}`);
        return found;
      }
      if (record.kind !== "barrier") found.push({ record, seq });
    }
  }
  return found;
}

/** Devices that records add or grow; the others were looked at before. */
function checkDevices(
  pool: LocatedPool,
  { root }: PoolTree,
  records: readonly NumberedRecord[],
  findings: Findings,
): void {
  const sizes = new Map<string, number>();
  const uuids = root.devices.map(({ uuid }) => uuid);
  for (const { record } of records) {
    if (record.kind === "add-device") {
      uuids.push(record.device.uuid);
      sizes.set(record.device.uuid, record.device.sizeBytes);
    } else if (record.kind === "grow-device") {
      sizes.set(uuids[record.device] ?? "", record.sizeBytes);
    }
  }
  for (const [uuid, sizeBytes] of sizes) {
    const device = pool.deviceByUuid.get(uuid);
    if (device === undefined) {
      if (!pool.missing.includes(uuid))
        findings.error(`device ${uuid}, which was added, is missing`);
    } else if (device.capacityBytes < sizeBytes) {
      findings.error(`${device.name} has shrunk to ${device.capacityBytes} of ${sizeBytes} bytes`);
    }
  }
}

type MapOf = Extract<JournalRecord, { kind: "map" | "partial" }>;

function isMapOf(record: JournalRecord): record is MapOf {
  return record.kind === "map" || record.kind === "partial";
}

function indexOf(lext: number): number {
  return Math.floor(lext / LEAF_ENTRIES);
}

/** The places of leaves, in any volume, that may name metadata at some time: copies have a leaf where their source has it. */
function indexesOf(
  tree: PoolTree,
  records: readonly NumberedRecord[],
  { metadata, leaves }: Suspicion,
): Set<number> {
  const indexes = new Set<number>();
  for (const number of leaves) indexes.add(tree.leaves[number]!.index);
  for (const { record } of records) {
    if (!isMapOf(record)) continue;
    const { phys, lext } = record;
    let isSuspect = record.kind === "partial" && metadata.has(record.base);
    const run = record.kind === "map" ? record.run : 1;
    for (let step = 0; step < run && !isSuspect; step += 1) isSuspect = metadata.has(phys + step);
    if (isSuspect) indexes.add(indexOf(lext));
  }
  return indexes;
}

function addNamed(image: PoolImage, metadata: ReadonlySet<number>, named: Set<number>): void {
  const seen = new Set<LeafImage>();
  for (const { leaves } of image.volumes.values()) {
    for (const leaf of leaves.values()) {
      if (seen.has(leaf)) continue;
      seen.add(leaf);
      for (const [slot, word] of leaf.words.entries()) {
        if (word === 0) continue;
        const phys = (word & ~PARTIAL_FLAG) - 1;
        const base = word < PARTIAL_FLAG ? -1 : (leaf.bases?.[slot] ?? 0) - 1;
        if (metadata.has(phys)) named.add(phys);
        if (metadata.has(base)) named.add(base);
      }
    }
  }
}
