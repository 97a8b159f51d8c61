import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Load } from "../src/initiator/load-generator.ts";
import { measure, type Sample } from "./support/measure.ts";
import { numberOption, textOption } from "./support/options.ts";
import { median, ratios as ratiosOf } from "./support/statistics.ts";
import {
  makeBackingFile,
  startTgtd,
  startThinlun,
  type MeasuredTarget,
} from "./support/targets.ts";

/**
 * First figures: thinlun beside tgtd, on the same kind of file in memory (tmpfs), over loopback, the load from a
 * process of its own. The two take turns, so that what the machine does otherwise meets both.
 *
 * npm run bench -- [--rounds N] [--seconds S] [--json FILE]
 * npm run bench -- engine [...]: thin volumes, see engine/run.ts
 */

const DISK_BYTES = 256 * 1024 * 1024;
const BLOCK_BYTES = 512;

interface NamedLoad {
  readonly name: string;
  readonly load: Omit<Load, "lun">;
}

function load(
  name: string,
  kind: Load["kind"],
  pattern: Load["pattern"],
  commandBytes: number,
  queueDepth: number,
): NamedLoad {
  const capacityBlocks = DISK_BYTES / BLOCK_BYTES;
  const blockBytes = BLOCK_BYTES;
  return { name, load: { kind, pattern, commandBytes, queueDepth, blockBytes, capacityBlocks } };
}

const KIB = 1024;

const LOADS: readonly NamedLoad[] = [
  load("4 KiB random read, QD 1", "read", "random", 4 * KIB, 1),
  load("4 KiB random write, QD 1", "write", "random", 4 * KIB, 1),
  load("4 KiB random read, QD 32", "read", "random", 4 * KIB, 32),
  load("4 KiB random write, QD 32", "write", "random", 4 * KIB, 32),
  load("128 KiB sequential read, QD 16", "read", "sequential", 128 * KIB, 16),
  load("128 KiB sequential write, QD 16", "write", "sequential", 128 * KIB, 16),
];

interface Row {
  readonly load: string;
  readonly thinlun: Sample[];
  readonly tgtd: Sample[];
}

/** Medians side by side; the ratio is the median of the rounds' ratios, with the least and the greatest. */
function line(row: Row): string {
  const rate = (samples: readonly Sample[]): number =>
    median(samples.map(({ commandsPerSecond }) => commandsPerSecond));
  const p99 = (samples: readonly Sample[]): number => median(samples.map(({ p99Us }) => p99Us));
  const speeds = (samples: readonly Sample[]): number[] =>
    samples.map(({ commandsPerSecond }) => commandsPerSecond);
  const ratios = ratiosOf(speeds(row.thinlun), speeds(row.tgtd));
  const cell = (value: number, width: number): string => value.toFixed(0).padStart(width);
  return [
    row.load.padEnd(32),
    cell(rate(row.thinlun), 9),
    cell(rate(row.tgtd), 9),
    median(ratios).toFixed(2).padStart(7),
    `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`.padStart(11),
    cell(p99(row.thinlun), 8),
    cell(p99(row.tgtd), 8),
  ].join(" ");
}

const HEADING = [
  "load".padEnd(32),
  "thinlun/s".padStart(9),
  "tgtd/s".padStart(9),
  "ratio".padStart(7),
  "least-most".padStart(11),
  "p99 us".padStart(8),
  "tgtd".padStart(8),
].join(" ");

async function main(): Promise<void> {
  const rounds = numberOption("--rounds", 5);
  const seconds = numberOption("--seconds", 2);
  const file = textOption("--json");
  const folder = mkdtempSync("/dev/shm/thinlun-bench-");
  const targets: MeasuredTarget[] = [];
  const rows: Row[] = LOADS.map(({ name }) => ({ load: name, thinlun: [], tgtd: [] }));
  try {
    for (const start of [startThinlun, startTgtd]) {
      const backingFile = join(folder, `${start.name}.img`);
      makeBackingFile(backingFile, DISK_BYTES);
      targets.push(await start(folder, backingFile));
    }
    const [thinlun, tgtd] = targets;
    if (thinlun === undefined || tgtd === undefined) throw new Error("two targets are compared");
    process.stdout.write(
      `${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, Node ${process.version}, `,
    );
    process.stdout.write(`${rounds} rounds of ${seconds} s, A B A B\n${HEADING}\n`);
    for (const [index, named] of LOADS.entries()) {
      const row = rows[index];
      if (row === undefined) continue;
      for (let round = 0; round < rounds; round += 1) {
        for (const [target, samples] of [
          [thinlun, row.thinlun],
          [tgtd, row.tgtd],
        ] as const) {
          samples.push(await measure(target, { ...named.load, lun: target.lun }, { seconds }));
        }
      }
      process.stdout.write(`${line(row)}\n`);
    }
  } finally {
    for (const target of targets) await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(rows, undefined, 2)}\n`);
}

if (process.argv[2] === "engine") await (await import("./engine/run.ts")).runEngineBench();
else await main();
