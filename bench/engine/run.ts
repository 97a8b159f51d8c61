import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { hasFlag, numberOption, textOption } from "../support/options.ts";
import { benchDataPath } from "./data-path.ts";
import { benchFlushes } from "./flushes.ts";
import { benchGuest } from "./guest.ts";
import { benchManagement } from "./management.ts";
import { benchQcow2 } from "./qcow2.ts";
import { Report } from "./report.ts";

/**
 * Thin volumes: the figures that they are measured by, each with what it is compared to. What takes turns does so A B A B, and the
 * ratios are medians of the rounds' with the least and the greatest.
 *
 * npm run bench -- engine [--rounds N] [--seconds S] [--json FILE] [--folder FOLDER] [--only GROUP[,GROUP]] [--guest]
 *
 * Groups: allocated, snapshots, touch, management, flush, peers. The folder is in memory by default. With --guest, dm-thin runs beside a linear device in a
 * Linux guest.
 */
export async function runEngineBench(): Promise<void> {
  const rounds = numberOption("--rounds", 5);
  const seconds = numberOption("--seconds", 2);
  const file = textOption("--json");
  const only = textOption("--only")?.split(",");
  const folder = mkdtempSync(join(textOption("--folder") ?? "/dev/shm", "thinlun-bench-"));
  const wants = (group: string): boolean => only === undefined || only.includes(group);
  const report = new Report();
  const before = loadavg();
  process.stdout.write(
    `${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, Node ${process.version}, load ${before[0]?.toFixed(1)}, ` +
      `${rounds} rounds of ${seconds} s\n`,
  );
  try {
    if (wants("flush")) await benchFlushes(report, folder);
    if (wants("management")) await benchManagement(report, { folder, rounds, seconds });
    const isData = ["allocated", "snapshots", "touch"].some(wants);
    if (isData) await benchDataPath(report, { folder, rounds, seconds, wants });
    if (wants("peers")) await benchQcow2(report, { folder, rounds });
    if (hasFlag("--guest")) await benchGuest(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (file === undefined) return;
  const machine = { cpus: cpus().map(({ model }) => model), load: [before, loadavg()] };
  writeFileSync(file, `${JSON.stringify({ machine, rows: report.rows }, undefined, 2)}\n`);
}
