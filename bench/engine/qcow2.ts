import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { comparisonRow, type Measured, type Report } from "./report.ts";

/**
 * The same jobs on qcow2 with 64 KiB clusters, by `qemu-img bench`: without a network, beside a raw file by the same program. A comparison
 * of what an image format costs, not of rates.
 */

const execute = promisify(execFile);

const EXTENT_BYTES = 65_536;
const EXTENTS = 8192;
const DEPTH = 32;

type Kind = "first" | "again" | "read" | "after snapshot";

export interface Qcow2Options {
  readonly folder: string;
  readonly rounds: number;
}

export async function benchQcow2(report: Report, options: Qcow2Options): Promise<void> {
  report.heading(`qcow2 beside a raw file, qemu-img bench, 4 KiB in each 64 KiB, QD ${DEPTH}`);
  const version = await execute("qemu-img", ["--version"]).catch(() => null);
  if (version === null) {
    process.stdout.write("  qemu-img is not installed: left out\n");
    return;
  }
  const raw: Record<Kind, Measured[]> = emptySeries();
  const qcow2: Record<Kind, Measured[]> = emptySeries();
  for (let round = 0; round < options.rounds; round += 1) {
    await benchRound(join(options.folder, "peer.raw"), "raw", raw);
    await benchRound(join(options.folder, "peer.qcow2"), "qcow2", qcow2);
  }
  const row = (name: string, ours: Kind, theirs: Kind): void =>
    report.add(
      comparisonRow({
        group: "qcow2",
        name,
        ours: qcow2[ours],
        theirs: raw[theirs],
        oursName: "qcow2",
        theirsName: "raw",
      }),
    );
  row("allocated, read", "read", "read");
  row("allocated, write", "again", "again");
  row("first write into a hole, raw file allocated", "first", "again");
  row("first write into a hole, raw file sparse", "first", "first");
  row("first write after a snapshot", "after snapshot", "again");
}

function emptySeries(): Record<Kind, Measured[]> {
  return { first: [], again: [], read: [], "after snapshot": [] };
}

async function benchRound(
  image: string,
  format: "raw" | "qcow2",
  series: Record<Kind, Measured[]>,
): Promise<void> {
  await execute("qemu-img", ["create", "-q", "-f", format, image, String(EXTENTS * EXTENT_BYTES)]);
  try {
    series.first.push(await bench(image, format, true));
    series.again.push(await bench(image, format, true));
    series.read.push(await bench(image, format, false));
    if (format === "raw") return;
    await execute("qemu-img", ["snapshot", "-c", "one", image]);
    series["after snapshot"].push(await bench(image, format, true));
  } finally {
    rmSync(image, { force: true });
  }
}

async function bench(image: string, format: string, isWrite: boolean): Promise<Measured> {
  const places = ["-s", "4096", "-S", String(EXTENT_BYTES), "-c", String(EXTENTS)];
  const args = ["bench", "-f", format, "-d", String(DEPTH), ...places];
  const { stdout } = await execute("qemu-img", [...args, ...(isWrite ? ["-w"] : []), image]);
  const seconds = Number(/completed in ([\d.]+) seconds/.exec(stdout)?.[1]);
  if (!(seconds > 0)) throw new Error(`qemu-img bench says: ${stdout}`);
  return { commandsPerSecond: EXTENTS / seconds };
}
