import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Load } from "../../src/initiator/load-generator.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { writeBytes } from "../../src/util/io-request.ts";
import { measure } from "../support/measure.ts";
import { makeBackingFile, type MeasuredTarget, startDaemon } from "../support/targets.ts";
import { comparisonRow, type Measured, type Report } from "./report.ts";
import { EXTENT_BYTES, withPool } from "./thin-pool.ts";

/**
 * What clients feel: 4 KiB commands on thin volumes beside the same on raw files, both of this daemon, over loopback, from a
 * process of its own, on files in memory.
 */

const MIB = 1024 * 1024;
const BLOCK_BYTES = 512;
const COMMAND_BYTES = 4096;

/** Allocated and settled. */
const ALLOCATED_BYTES: number = 512 * MIB;
/** Each is touched once, in every extent. */
const PLACES = 65_536;
const HOLE_BYTES: number = PLACES * EXTENT_BYTES;
/** The first of them at depth 1, the others at depth 32. */
const PLACES_AT_DEPTH_1 = 16_384;
const POOL_BYTES: number = 256 * 1024 * MIB;

const SNAPSHOTS = 1000;

/** A scattered load uses places up while it warms up. */
const SCATTER_WARM_UP_MS = 150;

const DEPTHS = [1, 32] as const;

export interface DataPathOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Which of "allocated", "snapshots" and "touch". */
  wants(group: string): boolean;
}

interface Targets {
  readonly raw: MeasuredTarget;
  thin: MeasuredTarget;
}

/** Samples by name and round; the first round is not kept. */
class Series {
  readonly #values = new Map<string, Measured[]>();

  add(name: string, round: number, sample: Measured): void {
    if (round === 0) return;
    const values = this.#values.get(name) ?? [];
    values.push(sample);
    this.#values.set(name, values);
  }

  of(name: string): readonly Measured[] {
    return this.#values.get(name) ?? [];
  }
}

function holeName(round: number): string {
  return `hole${round}`;
}

export async function benchDataPath(report: Report, options: DataPathOptions): Promise<void> {
  const { folder, rounds } = options;
  const holes = Array.from({ length: rounds + 1 }, (_, round) => holeName(round));
  const rawVolumes: Record<string, unknown> = {};
  for (const name of ["allocated", "unused", ...holes]) {
    const path = join(folder, `${name}.raw`);
    rawVolumes[name] = { driver: "raw", path };
    if (name === "allocated") makeBackingFile(path, ALLOCATED_BYTES);
    else makeSparseFile(path, HOLE_BYTES);
  }
  const image = join(folder, "pool");
  const thinVolumes: Record<string, unknown> = {};
  for (const name of ["allocated", "many", ...holes]) {
    const size = holes.includes(name) ? HOLE_BYTES : ALLOCATED_BYTES;
    thinVolumes[name] = { driver: "thin", pool: "tank", size, create: true };
  }
  const pools = { tank: { devices: [image], create: { size: POOL_BYTES } } };
  const startThin = (): Promise<MeasuredTarget> =>
    startDaemon(join(folder, "thin"), { pools, volumes: thinVolumes });

  // Made by the daemon, filled here.
  await (await startThin()).stop();
  await withPool(image, prepare);
  const raw = await startDaemon(join(folder, "raw"), { volumes: rawVolumes });
  const targets: Targets = { raw, thin: await startThin() };
  try {
    if (options.wants("allocated")) await benchAllocated(report, targets, options);
    if (options.wants("snapshots")) await benchManySnapshots(report, targets, options);
    if (!options.wants("touch")) return;
    await benchFirstTouch(report, targets, options);
    await targets.thin.stop();
    await withPool(image, (pool) => snapshotAll(pool, holes));
    targets.thin = await startThin();
    await benchAfterSnapshot(report, targets, options);
  } finally {
    await targets.thin.stop();
    await raw.stop();
  }
}

function makeSparseFile(path: string, sizeBytes: number): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
}

async function prepare(pool: Pool): Promise<void> {
  const many = pool.volume("many");
  await fill(pool.volume("allocated"));
  await fill(many);
  // A whole one: parts would be filled in the background, while something else is measured.
  const extent = Buffer.alloc(EXTENT_BYTES, 0x5a);
  const extents = ALLOCATED_BYTES / EXTENT_BYTES;
  for (let index = 0; index < SNAPSHOTS; index += 1) {
    await pool.snapshot([{ source: many, name: `many-${index}`, uuid: randomUUID() }]);
    // Something has changed between any two.
    await writeBytes(many, ((index * 7) % extents) * EXTENT_BYTES, extent);
  }
  // All of it is its own again: what is measured is the steady state.
  await fill(many);
}

async function fill(volume: ThinVolume): Promise<void> {
  const piece = Buffer.alloc(MIB, 0xa5);
  for (let offset = 0; offset < ALLOCATED_BYTES; offset += MIB) {
    await writeBytes(volume, offset, piece);
  }
}

async function snapshotAll(pool: Pool, names: readonly string[]): Promise<void> {
  const copies = names.map((name) => ({
    source: pool.volume(name),
    name: `${name}-snapshot`,
    uuid: randomUUID(),
  }));
  for (const copy of copies) await pool.snapshot([copy]);
}

function randomLoad(kind: Load["kind"], queueDepth: number, lun: number): Load {
  return {
    kind,
    pattern: "random",
    lun,
    commandBytes: COMMAND_BYTES,
    queueDepth,
    blockBytes: BLOCK_BYTES,
    capacityBlocks: ALLOCATED_BYTES / BLOCK_BYTES,
  };
}

/** One write for each of its extents. */
function scatteredLoad(queueDepth: number, lun: number): Load {
  const isAlone = queueDepth === 1;
  return {
    ...randomLoad("write", queueDepth, lun),
    pattern: "scattered",
    capacityBlocks: HOLE_BYTES / BLOCK_BYTES,
    scatter: {
      strideBlocks: EXTENT_BYTES / BLOCK_BYTES,
      places: PLACES,
      first: isAlone ? 0 : PLACES_AT_DEPTH_1,
      count: isAlone ? PLACES_AT_DEPTH_1 : PLACES - PLACES_AT_DEPTH_1,
    },
  };
}

/** LUNs of both daemons: 1 allocated, 2 (thin only) the one with many snapshots, then those with holes. */
const ALLOCATED_LUN = 1;
const MANY_LUN = 2;
const FIRST_HOLE_LUN = 3;

async function benchAllocated(
  report: Report,
  { raw, thin }: Targets,
  { rounds, seconds }: DataPathOptions,
): Promise<void> {
  report.heading("4 KiB random, allocated extents, beside a raw file");
  for (const kind of ["read", "write"] as const) {
    for (const depth of DEPTHS) {
      const series = new Series();
      const load = randomLoad(kind, depth, ALLOCATED_LUN);
      for (let round = 0; round <= rounds; round += 1) {
        for (const [name, target] of [
          ["raw", raw],
          ["thin", thin],
        ] as const) {
          series.add(name, round, await measure(target, load, { seconds }));
        }
      }
      report.add(
        comparisonRow({
          group: "allocated",
          name: `${kind}, QD ${depth}`,
          ours: series.of("thin"),
          theirs: series.of("raw"),
          oursName: "thin",
          theirsName: "raw",
          ratioMin: 0.95,
        }),
      );
    }
  }
}

async function benchManySnapshots(
  report: Report,
  { thin }: Targets,
  { rounds, seconds }: DataPathOptions,
): Promise<void> {
  report.heading(`4 KiB random, a volume with ${SNAPSHOTS} snapshots beside one without`);
  for (const kind of ["read", "write"] as const) {
    for (const depth of DEPTHS) {
      const series = new Series();
      for (let round = 0; round <= rounds; round += 1) {
        for (const lun of [ALLOCATED_LUN, MANY_LUN]) {
          const load = randomLoad(kind, depth, lun);
          series.add(String(lun), round, await measure(thin, load, { seconds }));
        }
      }
      report.add(
        comparisonRow({
          group: "snapshots",
          name: `${kind}, QD ${depth}`,
          ours: series.of(String(MANY_LUN)),
          theirs: series.of(String(ALLOCATED_LUN)),
          oursName: "with",
          theirsName: "without",
          ratioMin: 0.95,
        }),
      );
    }
  }
}

async function scatter(target: MeasuredTarget, depth: number, round: number): Promise<Measured> {
  const load = scatteredLoad(depth, FIRST_HOLE_LUN + round);
  const options = { seconds: 60, warmUpMs: SCATTER_WARM_UP_MS };
  return measure(target, load, options);
}

async function benchFirstTouch(
  report: Report,
  { raw, thin }: Targets,
  { rounds }: DataPathOptions,
): Promise<void> {
  report.heading("4 KiB write, the first into each extent: holes");
  const series = new Series();
  for (let round = 0; round <= rounds; round += 1) {
    for (const depth of DEPTHS) {
      series.add(`sparse ${depth}`, round, await scatter(raw, depth, round));
      series.add(`thin ${depth}`, round, await scatter(thin, depth, round));
      // The same once more: now the file has the pages.
      series.add(`raw ${depth}`, round, await scatter(raw, depth, round));
    }
  }
  for (const depth of DEPTHS) {
    const common = { group: "first touch", oursName: "thin" };
    const ours = series.of(`thin ${depth}`);
    report.add(
      comparisonRow({
        ...common,
        name: `QD ${depth}, raw file allocated (the bar)`,
        ours,
        theirs: series.of(`raw ${depth}`),
        theirsName: "raw",
        ratioMin: 0.7,
      }),
    );
    report.add(
      comparisonRow({
        ...common,
        name: `QD ${depth}, raw file sparse, touched first too`,
        ours,
        theirs: series.of(`sparse ${depth}`),
        theirsName: "raw",
      }),
    );
  }
}

async function benchAfterSnapshot(
  report: Report,
  { raw, thin }: Targets,
  { rounds }: DataPathOptions,
): Promise<void> {
  report.heading("4 KiB write, the first into each extent after a snapshot");
  const series = new Series();
  for (let round = 0; round <= rounds; round += 1) {
    for (const depth of DEPTHS) {
      series.add(`raw ${depth}`, round, await scatter(raw, depth, round));
      series.add(`thin ${depth}`, round, await scatter(thin, depth, round));
      series.add(`again ${depth}`, round, await scatter(thin, depth, round));
    }
  }
  for (const depth of DEPTHS) {
    const theirs = series.of(`raw ${depth}`);
    const common = { group: "after a snapshot", oursName: "thin", theirsName: "raw" };
    report.add(
      comparisonRow({
        ...common,
        name: `QD ${depth}`,
        ours: series.of(`thin ${depth}`),
        theirs,
        ratioMin: 0.65,
      }),
    );
    report.add(
      comparisonRow({
        ...common,
        name: `QD ${depth}, the same blocks once more`,
        ours: series.of(`again ${depth}`),
        theirs,
      }),
    );
  }
}
