import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load } from "../src/initiator/load-generator.ts";
import type { LoadReport, LoadRequest } from "./support/load-child.ts";
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
 */

const execute = promisify(execFile);

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

interface Sample extends LoadReport {
  /** Of the target's process, in seconds for each second. */
  readonly cpuShare: number;
}

async function measure(
  target: MeasuredTarget,
  { load: shape }: NamedLoad,
  seconds: number,
): Promise<Sample> {
  const request: LoadRequest = {
    port: target.port,
    targetName: target.targetName,
    load: { ...shape, lun: target.lun },
    warmUpMs: 300,
    measureMs: seconds * 1000,
  };
  const child = join(import.meta.dirname, "support", "load-child.ts");
  const before = target.cpuSeconds();
  const startedMs = performance.now();
  const args = ["--import", "tsx", child, JSON.stringify(request)];
  const { stdout } = await execute(process.execPath, args, { timeout: 120_000 });
  const cpuShare = (target.cpuSeconds() - before) / ((performance.now() - startedMs) / 1000);
  return { ...(JSON.parse(stdout) as LoadReport), cpuShare };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

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
  const ratios = row.thinlun.map(
    (sample, round) =>
      sample.commandsPerSecond / (row.tgtd[round]?.commandsPerSecond ?? Number.NaN),
  );
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

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

async function main(): Promise<void> {
  const rounds = option("--rounds", 5);
  const seconds = option("--seconds", 2);
  const jsonAt = process.argv.indexOf("--json");
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
        row.thinlun.push(await measure(thinlun, named, seconds));
        row.tgtd.push(await measure(tgtd, named, seconds));
      }
      process.stdout.write(`${line(row)}\n`);
    }
  } finally {
    for (const target of targets) await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const file = jsonAt < 0 ? undefined : process.argv[jsonAt + 1];
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(rows, undefined, 2)}\n`);
}

await main();
