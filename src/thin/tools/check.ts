import type { BlockDevice } from "../../device/block-device.ts";
import { isFault } from "../format/fault.ts";
import { PoolError } from "../pool-error.ts";
import { type CheckedTree, type JournalReport, checkJournal } from "./check-journal.ts";
import { ExtentCounts, sideOfNothing } from "./extent-counts.ts";
import { type Finding, Findings } from "./findings.ts";
import { RESTARTS_MAX } from "./limits.ts";
import { type LocatedPool, locatePool } from "./locate-pool.ts";
import { inWords } from "./pool-image.ts";
import { type NoteFault, type PoolTree, readTree } from "./pool-tree.ts";
import { readLeaves } from "./read-leaves.ts";
import { checkVolumes } from "./check-volumes.ts";

/** How far a check is: pages of metadata. */
export type OnProgress = (done: number, total: number) => void;

export interface SuperblockReport {
  readonly device: string;
  readonly offsetBytes: number;
  /** Null where it is not whole; then `fault` says why. */
  readonly generation: number | null;
  readonly fault: string | null;
}

/** What a pool holds, counted from its checkpoint alone; extents and pages. */
export interface CheckCounts {
  readonly volumes: number;
  readonly nodes: number;
  readonly leaves: number;
  readonly metadataPages: number;
  /** Entries of distinct leaves that map something, and how many of them are PARTIAL. */
  readonly mappedEntries: number;
  readonly partialEntries: number;
  readonly extents: number;
  readonly dataExtents: number;
  /** Of these, referred to by more than one place. */
  readonly sharedExtents: number;
  readonly metadataExtents: number;
  readonly freeExtents: number;
}

/** The result of a check. The pool is sound when there are no errors. */
export interface CheckReport {
  readonly poolUuid: string;
  readonly name: string;
  readonly generation: number;
  readonly epoch: number;
  readonly wasClean: boolean;
  readonly isSound: boolean;
  readonly errors: number;
  readonly warnings: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  readonly superblocks: readonly SuperblockReport[];
  /** Null: no tree could be read. */
  readonly counts: CheckCounts | null;
  readonly journal: JournalReport;
  /** How often checkpoints of a pool that is in use have overtaken the check. */
  readonly restarts: number;
}

export interface CheckOptions {
  readonly onProgress?: OnProgress;
}

/**
 * Checks a pool, open or not: superblocks, every page of the newest checkpoint, what refers to what, the journal. Writes nothing. The pages of
 * a checkpoint stay until the one after the next is durable, its journal until the next opening; when that has happened in between, the check
 * begins again.
 *
 * @throws {PoolError} missing: no pool is there; foreign: more than one; exists: one device twice; busy: the pool changes faster than it can be checked
 * @throws {IoError} a superblock's device cannot be read
 */
export async function checkPool(
  devices: readonly BlockDevice[],
  { onProgress = () => undefined }: CheckOptions = {},
): Promise<CheckReport> {
  for (let restarts = 0; restarts <= RESTARTS_MAX; restarts += 1) {
    const pool = await locatePool(devices);
    const report = await checkOnce(pool, onProgress, restarts);
    const after = await locatePool(devices);
    const [newest = report] = after.superblocks;
    // Whoever opens the pool discards what no barrier covers, and goes on in its place.
    const isSameOpening = newest.epoch === report.epoch;
    if (isSameOpening && newest.generation - report.generation < 2) return report;
  }
  throw new PoolError("busy", "the pool changes faster than it can be checked; try again later");
}

async function checkOnce(
  pool: LocatedPool,
  onProgress: OnProgress,
  restarts: number,
): Promise<CheckReport> {
  const findings = new Findings();
  noteMembers(pool, findings);
  const [superblock] = pool.superblocks;
  const note: NoteFault = (what, fault) => findings.error(inWords(what, fault));
  if (superblock === undefined) findings.error("no superblock is left on the pool's first device");
  const tree = superblock === undefined ? null : await readTree(pool, superblock, note);
  const counted = tree === null ? null : await countTree(tree, findings, note, onProgress);
  const journal = await checkJournal(pool, counted, findings);
  return {
    poolUuid: pool.poolUuid,
    name: pool.name,
    generation: superblock?.generation ?? 0,
    epoch: superblock?.epoch ?? 0,
    wasClean: superblock?.clean ?? false,
    isSound: findings.errors === 0,
    errors: findings.errors,
    warnings: findings.warnings,
    findings: findings.list,
    superblocks: superblockReports(pool),
    counts: counted?.counts ?? null,
    journal,
    restarts,
  };
}

/** Devices that are missing or too small, and copies of superblocks that are broken. */
function noteMembers(pool: LocatedPool, findings: Findings): void {
  for (const uuid of pool.missing) findings.error(`device ${uuid} is missing`);
  const [superblock] = pool.superblocks;
  for (const { uuid, sizeBytes } of superblock?.devices ?? []) {
    const device = pool.deviceByUuid.get(uuid);
    if (device === undefined || device.capacityBytes >= sizeBytes) continue;
    findings.error(`${device.name} has shrunk to ${device.capacityBytes} of ${sizeBytes} bytes`);
  }
  if (superblock?.needsCheck === true) findings.warning("the pool is marked as in need of a check");
  for (const { device, offsetBytes, superblock: copy } of pool.copies) {
    // The other slot of a pool that has only had one checkpoint is empty.
    if (!isFault(copy) || copy.kind === "absent") continue;
    findings.warning(`${device.name}: the superblock at byte ${offsetBytes}: ${copy.message}`);
  }
}

function superblockReports(pool: LocatedPool): SuperblockReport[] {
  return pool.copies.map(({ device, offsetBytes, superblock }) => ({
    device: device.name,
    offsetBytes,
    generation: isFault(superblock) ? null : superblock.generation,
    fault: isFault(superblock) ? superblock.message : null,
  }));
}

async function countTree(
  tree: PoolTree,
  findings: Findings,
  note: NoteFault,
  onProgress: OnProgress,
): Promise<CheckedTree & { readonly counts: CheckCounts }> {
  const counts = new ExtentCounts(tree.places);
  const metadata = metadataOf(tree, findings);
  for (const phys of metadata) counts.markMetadata(phys);
  const suspects: number[] = [];
  const mappedOfLeaf = new Uint32Array(tree.leaves.length);
  let mappedEntries = 0;
  let partialEntries = 0;
  let done = 0;
  const numbers = tree.leaves.map((_, number) => number);
  await readLeaves(
    tree,
    numbers,
    (number, words) => {
      const { mapped, partial, namesMetadata, complaint } = counts.countLeaf(words);
      if (namesMetadata) suspects.push(number);
      mappedOfLeaf[number] = mapped;
      mappedEntries += mapped;
      partialEntries += partial;
      done += 1;
      if (done % 1024 === 0) onProgress(done, numbers.length);
      const fault = complaint ?? sideOfNothing(words);
      if (fault === null) return;
      const { index, pointers } = tree.leaves[number]!;
      findings.error(`leaf ${index} (block ${pointers.leaf.block}): ${fault}`);
    },
    note,
  );
  onProgress(numbers.length, numbers.length);
  checkVolumes(tree, mappedOfLeaf, findings);
  for (const phys of counts.beyondVirginMarks()) {
    findings.error(`extent ${phys} is mapped although it was never handed out`);
  }
  const { used, shared } = counts.totals();
  const totals = {
    volumes: tree.volumes.length,
    nodes: tree.nodes.size,
    leaves: tree.leaves.length,
    metadataPages: tree.blocks.length,
    mappedEntries,
    partialEntries,
    extents: tree.places.extentCount,
    dataExtents: used,
    sharedExtents: shared,
    metadataExtents: metadata.size,
    freeExtents: tree.places.extentCount - used - metadata.size,
  };
  return { tree, counts: totals, suspicion: { metadata, leaves: suspects } };
}

/** The extents with pages of the checkpoint. No block may hold two pages. */
function metadataOf(tree: PoolTree, findings: Findings): Set<number> {
  const extents = new Set<number>([0]);
  const blocks = new Set<number>();
  for (const block of tree.blocks) {
    if (blocks.has(block)) findings.error(`block ${block} is named as two pages`);
    blocks.add(block);
    if (tree.places.hasBlock(block)) extents.add(tree.places.extentOfBlock(block));
  }
  return extents;
}
