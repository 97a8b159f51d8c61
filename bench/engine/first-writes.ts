import { closeSync, ftruncateSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ControlClient } from "../../src/cli/control-client.ts";
import { controlSocketPath } from "../../src/control/protocol.ts";
import type { Load } from "../../src/initiator/load-generator.ts";
import { measure } from "../support/measure.ts";
import { type MeasuredTarget, startDaemon } from "../support/targets.ts";
import { comparisonRow, type Measured, type Report, Series } from "./report.ts";
import { EXTENT_BYTES } from "./thin-pool.ts";

/**
 * The first write into each extent, into holes and after a snapshot. On files in memory, the first write to a page costs the kernel more
 * than a thin volume costs, so that like is compared with like: a raw file that has its pages with a pool whose image has them, which is what
 * the bars mean, and a sparse one with a sparse one.
 */

const MIB = 1024 * 1024;
const BLOCK_BYTES = 512;
const COMMAND_BYTES = 4096;
const PAGE_BYTES = 4096;

/** Each is written once, in its first page. */
const PLACES = 65_536;
const VOLUME_BYTES: number = PLACES * EXTENT_BYTES;
/** The first of them at depth 1, the others at depth 32. */
const PLACES_AT_DEPTH_1 = 16_384;

/** Loads warm up on a volume of its own: a scattered one uses its places up. */
const SCRATCH = "scratch";
const SCRATCH_BYTES: number = 64 * MIB;
/** More than any scattered load takes. */
const SECONDS_MAX = 60;

const DEPTHS = [1, 32] as const;

/** The pools, by what their images are. */
const POOLS = ["allocated", "sparse"] as const;
type PoolKind = (typeof POOLS)[number];

interface FirstWriteOptions {
  readonly folder: string;
  readonly rounds: number;
}

interface Daemons {
  readonly raw: MeasuredTarget;
  readonly thin: MeasuredTarget;
  /** Of the one with the pools. */
  readonly control: ControlClient;
}

/** Of round 0 nothing is kept: it warms both daemons up, on volumes of its own. */
export async function benchFirstWrites(report: Report, options: FirstWriteOptions): Promise<void> {
  const daemons = await startDaemons(options);
  const holes = new Series();
  const copies = new Series();
  try {
    for (let round = 0; round <= options.rounds; round += 1) {
      await touchHoles(daemons, round, holes);
      for (const pool of POOLS) await snapshot(daemons, pool, round);
      await writeAfterSnapshot(daemons, round, copies);
    }
  } finally {
    await daemons.control.close();
    await daemons.thin.stop();
    await daemons.raw.stop();
  }
  report.heading("4 KiB write, the first into each extent: holes");
  addRows(report, holes, { group: "first touch", ratioMin: 0.7 });
  report.heading("4 KiB write, the first into each extent after a snapshot");
  addRows(report, copies, { group: "after a snapshot", ratioMin: 0.65 });
}

function volumeName(pool: PoolKind, round: number): string {
  return `${pool}${round}`;
}

async function startDaemons({ folder, rounds }: FirstWriteOptions): Promise<Daemons> {
  const rawVolumes: Record<string, unknown> = {};
  const thinVolumes: Record<string, unknown> = {};
  const pools: Record<string, unknown> = {};
  // Each extent is taken twice; some are for metadata.
  const poolBytes = 3 * (rounds + 1) * VOLUME_BYTES;
  for (const pool of POOLS) {
    pools[pool] = { devices: [imageOf(folder, pool)], create: { size: poolBytes } };
  }
  rawVolumes[SCRATCH] = { driver: "raw", path: join(folder, "scratch.raw") };
  makeSparseFile(join(folder, "scratch.raw"), SCRATCH_BYTES);
  const [scratchPool] = POOLS;
  thinVolumes[SCRATCH] = { driver: "thin", pool: scratchPool, size: SCRATCH_BYTES, create: true };
  for (let round = 0; round <= rounds; round += 1) {
    const path = join(folder, `${round}.raw`);
    makeSparseFile(path, VOLUME_BYTES);
    rawVolumes[`raw${round}`] = { driver: "raw", path };
    for (const pool of POOLS) {
      const volume = { driver: "thin", pool, size: VOLUME_BYTES, create: true };
      thinVolumes[volumeName(pool, round)] = volume;
    }
  }
  const thinFolder = join(folder, "first-writes");
  const startThin = (): Promise<MeasuredTarget> =>
    startDaemon(thinFolder, { pools, volumes: thinVolumes });
  // The daemon makes the pools; their files are changed while nobody has them open.
  await (await startThin()).stop();
  allocatePages(imageOf(folder, "allocated"));
  const thin = await startThin();
  const raw = await startDaemon(join(folder, "first-writes-raw"), { volumes: rawVolumes });
  return { raw, thin, control: new ControlClient(controlSocketPath(join(thinFolder, "state"))) };
}

function imageOf(folder: string, pool: PoolKind): string {
  return join(folder, `${pool}.pool`);
}

function makeSparseFile(path: string, sizeBytes: number): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
}

/**
 * The first page of each extent gets memory, and keeps its content: the pool knows as before that what it never handed out are zeros. Each is
 * written twice, for the kernel takes a page into its active list at the second write.
 */
function allocatePages(path: string): void {
  const file = openSync(path, "r+");
  try {
    const page = Buffer.alloc(PAGE_BYTES);
    const { size } = fstatSync(file);
    for (let offset = 0; offset < size; offset += EXTENT_BYTES) {
      readSync(file, page, 0, PAGE_BYTES, offset);
      writeSync(file, page, 0, PAGE_BYTES, offset);
      writeSync(file, page, 0, PAGE_BYTES, offset);
    }
  } finally {
    closeSync(file);
  }
}

/** LUNs in the order of the volumes, from 1 on. */
const SCRATCH_LUN = 1;

function rawLun(round: number): number {
  return SCRATCH_LUN + 1 + round;
}

function thinLun(pool: PoolKind, round: number): number {
  return SCRATCH_LUN + 1 + round * POOLS.length + POOLS.indexOf(pool);
}

/** One write for each of a volume's extents. */
function scatteredLoad(queueDepth: number, lun: number): Load {
  const isAlone = queueDepth === 1;
  return {
    kind: "write",
    pattern: "scattered",
    lun,
    commandBytes: COMMAND_BYTES,
    queueDepth,
    blockBytes: BLOCK_BYTES,
    capacityBlocks: VOLUME_BYTES / BLOCK_BYTES,
    scatter: {
      strideBlocks: EXTENT_BYTES / BLOCK_BYTES,
      places: PLACES,
      first: isAlone ? 0 : PLACES_AT_DEPTH_1,
      count: isAlone ? PLACES_AT_DEPTH_1 : PLACES - PLACES_AT_DEPTH_1,
    },
  };
}

function scatter(target: MeasuredTarget, depth: number, lun: number): Promise<Measured> {
  const load = scatteredLoad(depth, lun);
  const { scatter: _, ...common } = load;
  const capacityBlocks = SCRATCH_BYTES / BLOCK_BYTES;
  const warmUp: Load = { ...common, pattern: "random", lun: SCRATCH_LUN, capacityBlocks };
  return measure(target, load, { seconds: SECONDS_MAX, warmUp, polls: true });
}

async function touchHoles({ raw, thin }: Daemons, round: number, series: Series): Promise<void> {
  for (const depth of DEPTHS) {
    series.add(`raw sparse ${depth}`, round, await scatter(raw, depth, rawLun(round)));
    await writePools(thin, depth, round, series);
    // The same twice more: now the file has the pages, and the kernel has them as active as those of the pool.
    await scatter(raw, depth, rawLun(round));
    series.add(`raw allocated ${depth}`, round, await scatter(raw, depth, rawLun(round)));
  }
}

async function writeAfterSnapshot(
  { raw, thin }: Daemons,
  round: number,
  series: Series,
): Promise<void> {
  for (const depth of DEPTHS) {
    series.add(`raw allocated ${depth}`, round, await scatter(raw, depth, rawLun(round)));
    await writePools(thin, depth, round, series);
    const again = await scatter(thin, depth, thinLun("allocated", round));
    series.add(`thin again ${depth}`, round, again);
  }
}

async function writePools(
  thin: MeasuredTarget,
  depth: number,
  round: number,
  series: Series,
): Promise<void> {
  for (const pool of POOLS) {
    series.add(`thin ${pool} ${depth}`, round, await scatter(thin, depth, thinLun(pool, round)));
  }
}

async function snapshot({ control }: Daemons, pool: PoolKind, round: number): Promise<void> {
  const volume = volumeName(pool, round);
  const copies = [{ volume, name: `${volume}-snapshot` }];
  await control.call("snapshot/create", { pool, copies, writable: false });
}

/** What is compared, of the thin volume and of the raw file. */
const COMPARISONS = [
  { name: "pages allocated on both sides", thin: "allocated", raw: "allocated", isBar: true },
  { name: "both sparse", thin: "sparse", raw: "sparse", isBar: false },
  { name: "sparse pool, allocated raw file", thin: "sparse", raw: "allocated", isBar: false },
  { name: "the same blocks once more", thin: "again", raw: "allocated", isBar: false },
] as const;

function addRows(
  report: Report,
  series: Series,
  { group, ratioMin }: { readonly group: string; readonly ratioMin: number },
): void {
  for (const depth of DEPTHS) {
    for (const { name, thin, raw, isBar } of COMPARISONS) {
      const ours = series.of(`thin ${thin} ${depth}`);
      const theirs = series.of(`raw ${raw} ${depth}`);
      if (ours.length === 0 || theirs.length === 0) continue;
      report.add(
        comparisonRow({
          group,
          name: `QD ${depth}, ${name}`,
          ours,
          theirs,
          oursName: "thin",
          theirsName: "raw",
          ...(isBar ? { ratioMin } : {}),
        }),
      );
    }
  }
}
