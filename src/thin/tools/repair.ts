import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import { chooseReplay, isBlockLost, type JournalScan } from "../checkpoint/journal-scan.ts";
import { firstExtentOffset } from "../checkpoint/root-place.ts";
import { planSegment } from "../checkpoint/segment-plan.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { getUuid } from "../format/identity.ts";
import type { PoolSettings, Segment } from "../format/records.ts";
import type { Superblock } from "../format/superblock.ts";
import { PoolError } from "../pool-error.ts";
import { readJournal } from "./check-journal.ts";
import { RecordJudge } from "./check-records.ts";
import { cleanImage } from "./clean-image.ts";
import { ExtentPlaces } from "./extent-places.ts";
import { type LocatedPool, locatePool } from "./locate-pool.ts";
import { scanPages } from "./page-scan.ts";
import { imageOfTree, inWords, type PoolImage, runsOf } from "./pool-image.ts";
import { type NoteFault, type PoolTree, readTree } from "./pool-tree.ts";
import { ImageReplay, placesWith } from "./replay-image.ts";
import { salvagePool } from "./salvage.ts";
import { writePool, type WritePoolOptions } from "./write-pool.ts";

export interface RepairOptions extends WritePoolOptions {
  /** The kernel's boot id: where the pool's last owner had the same, all that it appended counts (rule K). */
  readonly bootId: string;
  /** What is being done, and how much of it, as a share of 1. */
  readonly onStep?: (step: "scan" | "copy", share: number) => void;
}

export interface RepairReport {
  /** "checkpoint": a tree was whole; "scan": the pool was put together from single pages. */
  readonly source: "checkpoint" | "scan";
  /** Of the checkpoint, or the newest superblock. */
  readonly generation: number;
  readonly replayedRecords: number;
  readonly discardedRecords: number;
  readonly volumes: readonly {
    readonly id: number;
    readonly name: string;
    readonly sizeBytes: number;
    readonly mappedExtents: number;
  }[];
  /** Extents that could not be read: zeros in the new pool. */
  readonly lostExtents: number;
  /** What is not as it was, or may not be. */
  readonly notes: readonly string[];
}

/**
 * Saves what is left of a pool into a new one on other devices. Nothing is written to the old one. The volumes keep their names, UUIDs, ids
 * and what they share; the pool gets a new UUID.
 *
 * It takes the newest checkpoint that is whole, with the journal behind it. Where none is, it reads all devices, and takes the newest
 * page of each name.
 *
 * @throws {PoolError} missing: not even a superblock is left; invalid: a target is one of the pool's devices; space
 * @throws {IoError} a target does not take it
 */
export async function repairPool(
  devices: readonly BlockDevice[],
  options: RepairOptions,
): Promise<RepairReport> {
  const pool = await locatePool(devices);
  for (const { device } of options.targets) {
    if (!devices.includes(device) && !devices.some(({ name }) => name === device.name)) continue;
    throw new PoolError("invalid", `${device.name} is a device of the pool that is to be saved`);
  }
  if (options.uuid === pool.poolUuid) {
    throw new PoolError("invalid", "the new pool must have a UUID of its own");
  }
  const { onStep = () => undefined } = options;
  const notes: string[] = pool.missing.map((uuid) => `device ${uuid} is missing`);
  const saved =
    (await fromCheckpoint(pool, options, notes)) ?? (await fromScan(pool, options, notes));
  const { image, source, generation, replayedRecords, discardedRecords } = saved;
  cleanImage(image, uuidMaker(options), (message) => notes.push(message));
  const lost = await writePool(image, {
    ...options,
    onProgress: (done, total) => onStep("copy", done / total),
  });
  for (const { phys, message } of lost) notes.push(`extent ${phys} is lost: ${message}`);
  const volumes = [...image.volumes.values()].map((volume) => ({
    id: volume.attributes.id,
    name: volume.attributes.name,
    sizeBytes: volume.attributes.sizeBytes,
    mappedExtents: [...runsOf(volume)].reduce((sum, { run }) => sum + run, 0),
  }));
  const counts = { replayedRecords, discardedRecords, lostExtents: lost.length };
  return { source, generation, ...counts, volumes, notes };
}

interface Saved extends Pick<
  RepairReport,
  "source" | "generation" | "replayedRecords" | "discardedRecords"
> {
  readonly image: PoolImage;
}

/** The newest checkpoint of which every page is whole; null: there is none. */
async function fromCheckpoint(
  pool: LocatedPool,
  options: RepairOptions,
  notes: string[],
): Promise<Saved | null> {
  for (const superblock of pool.superblocks) {
    let faults = 0;
    const note: NoteFault = (what, fault) => {
      faults += 1;
      notes.push(`generation ${superblock.generation}: ${inWords(what, fault)}`);
    };
    const tree = await readTree(pool, superblock, note);
    if (tree === null) continue;
    const image = await imageOfTree(tree, note);
    if (faults > 0) continue;
    return replayed(pool, superblock, { image, tree }, { options, notes });
  }
  return null;
}

async function replayed(
  pool: LocatedPool,
  superblock: Superblock,
  { image, tree }: { image: PoolImage; tree: PoolTree },
  { options, notes }: { options: RepairOptions; notes: string[] },
): Promise<Saved> {
  const { generation, epoch } = superblock;
  const saved = { source: "checkpoint", generation } as const;
  const [newest = superblock] = pool.superblocks;
  if (newest.epoch !== epoch) {
    notes.push(
      `the journal belongs to epoch ${newest.epoch}: the volumes are as of generation ${generation}`,
    );
    return { ...saved, image, replayedRecords: 0, discardedRecords: 0 };
  }
  const scan = await readOrNote(pool, superblock, notes);
  if (scan === null) return { ...saved, image, replayedRecords: 0, discardedRecords: 0 };
  const { blocks } = scan;
  const isSameBoot = superblock.owner.bootId === options.bootId;
  const end = superblock.checkpointSeq + blocks.length;
  // What the newest checkpoint holds was in the journal as well.
  const isShort = end < newest.checkpointSeq;
  if (isShort || isBlockLost(scan, superblock.checkpointSeq, isSameBoot)) {
    notes.push(`journal block ${end + 1} is broken: what follows is lost`);
  }
  if (scan.hasLaterEpoch) {
    notes.push("the superblock of a later opening is lost: what was done then is not there");
  }
  const all = blocks.flatMap(({ records }) => records);
  const places = placesWith(pool, tree, blocks);
  const grown = { ...image, places };
  const chosen = chooseReplay(blocks, isSameBoot, newest.checkpointSeq);
  const judge = new RecordJudge(tree);
  const replay = new ImageReplay(grown);
  let replayedRecords = 0;
  for (const { record, seq } of chosen.records) {
    const complaint = judge.judge(record) ?? replay.apply(record);
    if (complaint !== null) {
      notes.push(
        `journal block ${seq}: a record that cannot be: ${complaint}; the rest is left out`,
      );
      break;
    }
    replayedRecords += 1;
  }
  const count = all.filter(({ kind }) => kind !== "barrier").length;
  return { ...saved, image: grown, replayedRecords, discardedRecords: count - replayedRecords };
}

/** Null: the ring is lost as a whole. The pool's disk may be the reason for the repair: one bad place must not be the end of it. */
async function readOrNote(
  pool: LocatedPool,
  superblock: Superblock,
  notes: string[],
): Promise<JournalScan | null> {
  const { generation, checkpointSeq } = superblock;
  try {
    const scan = await readJournal(pool, superblock);
    const next = checkpointSeq + scan.blocks.length + 1;
    if (scan.unreadable.includes(next)) {
      notes.push(`journal block ${next} cannot be read: what it held, if anything, is lost`);
    }
    return scan;
  } catch (error) {
    if (!(error instanceof IoError) || error.kind !== "medium") throw error;
    notes.push(
      `the journal cannot be read: the volumes are as of generation ${generation}: ${error.message}`,
    );
    return null;
  }
}

async function fromScan(
  pool: LocatedPool,
  options: RepairOptions,
  notes: string[],
): Promise<Saved> {
  const { onStep = () => undefined } = options;
  const { segments, settings } = await knownRoot(pool, notes);
  const places = new ExtentPlaces(pool.extentBytes, segments, pool.devices);
  const pages = await scanPages(places, pool.poolUuid, (done, total) =>
    onStep("scan", done / total),
  );
  notes.push(`no checkpoint is whole: the volumes are put together from ${pages.count} pages`);
  if (pages.unreadableBytes > 0) notes.push(`${pages.unreadableBytes} bytes could not be read`);
  const source = { pages, places, settings, newUuid: uuidMaker(options) };
  const image = await salvagePool(source, (message) => notes.push(message));
  const { generation } = pool.newest;
  return { source: "scan", generation, image, replayedRecords: 0, discardedRecords: 0 };
}

function uuidMaker({ randomBytes }: RepairOptions): () => string {
  return () => {
    const bytes = Buffer.from(randomBytes(16));
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return getUuid(bytes, 0);
  };
}

/** Where the extents are, and the settings: of any root that is left, otherwise as a new pool on these devices would have them. */
async function knownRoot(
  pool: LocatedPool,
  notes: string[],
): Promise<{ segments: readonly Segment[]; settings: PoolSettings }> {
  for (const superblock of pool.superblocks) {
    const tree = await readTree(pool, superblock, () => undefined);
    if (tree !== null) return tree.root;
  }
  notes.push("no root is left: the extents are taken to lie where a new pool would have them");
  const { devices, journal, extentBytes } = pool.newest;
  const segments: Segment[] = [];
  for (const [device, { sizeBytes }] of devices.entries()) {
    const journalBytes = device === 0 ? journal.blocks * BLOCK_BYTES : 0;
    const segment = planSegment({ device, sizeBytes, journalBytes, extentBytes, isZero: false });
    if (segment === null) continue;
    segments.push(device === 0 ? { ...segment, offsetBytes: firstExtentOffset(journal) } : segment);
  }
  return { segments, settings: { name: pool.name, overcommitMax: 0, thresholds: [] } };
}
