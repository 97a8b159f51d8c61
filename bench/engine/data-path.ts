import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Load } from "../../src/initiator/load-generator.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { writeBytes } from "../../src/util/io-request.ts";
import { measure } from "../support/measure.ts";
import { makeBackingFile, type MeasuredTarget, startDaemon } from "../support/targets.ts";
import { benchFirstWrites } from "./first-writes.ts";
import { comparisonRow, type Report, Series } from "./report.ts";
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
const POOL_BYTES: number = 64 * 1024 * MIB;

const SNAPSHOTS = 1000;

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
  readonly thin: MeasuredTarget;
}

export async function benchDataPath(report: Report, options: DataPathOptions): Promise<void> {
  if (options.wants("allocated") || options.wants("snapshots")) await benchMapped(report, options);
  if (options.wants("touch")) await benchFirstWrites(report, options);
}

async function benchMapped(report: Report, options: DataPathOptions): Promise<void> {
  const { folder } = options;
  const path = join(folder, "allocated.raw");
  makeBackingFile(path, ALLOCATED_BYTES);
  const image = join(folder, "pool");
  const thinVolumes: Record<string, unknown> = {};
  for (const name of ["allocated", "many"]) {
    thinVolumes[name] = { driver: "thin", pool: "tank", size: ALLOCATED_BYTES, create: true };
  }
  const pools = { tank: { devices: [image], create: { size: POOL_BYTES } } };
  const startThin = (): Promise<MeasuredTarget> =>
    startDaemon(join(folder, "thin"), { pools, volumes: thinVolumes });

  // Made by the daemon, filled here.
  await (await startThin()).stop();
  await withPool(image, prepare);
  const rawVolumes = { allocated: { driver: "raw", path } };
  const raw = await startDaemon(join(folder, "raw"), { volumes: rawVolumes });
  const targets: Targets = { raw, thin: await startThin() };
  try {
    if (options.wants("allocated")) await benchAllocated(report, targets, options);
    if (options.wants("snapshots")) await benchManySnapshots(report, targets, options);
  } finally {
    await targets.thin.stop();
    await raw.stop();
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

/** LUNs of both daemons: 1 allocated, 2 (thin only) the one with many snapshots. */
const ALLOCATED_LUN = 1;
const MANY_LUN = 2;

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
          series.add(name, round, await measure(target, load, { seconds, polls: true }));
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
          series.add(String(lun), round, await measure(thin, load, { seconds, polls: true }));
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
