import type { ChildProcess } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { spawnMortal } from "../../test/support/mortal-child.ts";
import { cpuReader, end, freePort, untilListening } from "./process.ts";

/** A target under measurement: where it listens, what it exports, and how it ends. */
export interface MeasuredTarget {
  readonly name: string;
  readonly port: number;
  readonly targetName: string;
  readonly lun: number;
  /** CPU time that its process has used so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export const TARGET_NAME = "iqn.2026-11.net.thinlun:bench";

/** A backing file without holes: both targets find the same pages. */
export function makeBackingFile(path: string, sizeBytes: number): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, 0);
    const piece = Buffer.alloc(1024 * 1024, 0xa5);
    for (let written = 0; written < sizeBytes; written += piece.length) {
      writeFileSync(file, piece);
    }
  } finally {
    closeSync(file);
  }
}

/** What a daemon under measurement has; each volume is a LUN of one target, in this order from 1 on. */
export interface DaemonConfig {
  readonly pools?: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The built thinlun. The state folder is `folder`/state, and stays when it is started there again. */
export async function startDaemon(
  folder: string,
  shape: DaemonConfig,
): Promise<MeasuredTarget & { readonly child: ChildProcess }> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const config = join(folder, "thinlun.yaml");
  const program = join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");
  const luns = Object.keys(shape.volumes).map((volume, index) => ({ lun: index + 1, volume }));
  writeFileSync(
    config,
    stringify({
      portals: [{ listen: `127.0.0.1:${port}` }],
      ...shape,
      targets: [{ name: TARGET_NAME, luns }],
      log: { level: "warn" },
    }),
  );
  const state = join(folder, "state");
  const child = spawnMortal(process.execPath, [
    program,
    "serve",
    "-c",
    config,
    "--state-dir",
    state,
  ]);
  await untilListening(child, port, "thinlun");
  const cpuSeconds = cpuReader(child);
  return {
    name: "thinlun",
    child,
    port,
    targetName: TARGET_NAME,
    lun: 1,
    cpuSeconds,
    stop: () => end(child),
  };
}
