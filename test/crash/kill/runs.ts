import { chooseSeed } from "../../../src/util/random.ts";
import type { Kind } from "./killable.ts";
import { programKind } from "./pool-process.ts";
import { describeReport, type RunOptions, Supervisor } from "./supervisor.ts";

const MIB = 1024 * 1024;

/** Pools of all kinds take turns. */
const SHAPES: readonly Pick<RunOptions, "devices" | "extentBytes" | "journalBytes">[] = [
  { devices: 1, extentBytes: 64 * 1024, journalBytes: MIB },
  { devices: 2, extentBytes: 16 * 1024, journalBytes: MIB },
  { devices: 2, extentBytes: 64 * 1024, journalBytes: 4 * MIB },
  { devices: 1, extentBytes: 256 * 1024, journalBytes: 2 * MIB },
];

/** A pool that has been killed this often is replaced: it should meet every kind of crash young and old. */
const KILLS_PER_POOL = 40;

/**
 * Kills pools in a folder so often in all, and prints what was seen. A failure names the seed of its pool: THINLUN_SEED repeats that pool's
 * history as the first one.
 */
export async function killPools(
  folder: string,
  kills: number,
  kindOf: () => Kind = () => programKind,
): Promise<number> {
  let seed = chooseSeed(process.env);
  let done = 0;
  while (done < kills) {
    const shape = SHAPES[seed % SHAPES.length] ?? SHAPES[0];
    if (shape === undefined) break;
    const wanted = Math.min(KILLS_PER_POOL, kills - done);
    const supervisor = new Supervisor({ ...shape, kind: kindOf(), seed, folder, kills: wanted });
    const startedMs = performance.now();
    await supervisor.run();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`seed ${seed} in ${folder}, ${seconds} s: ${describeReport(supervisor.report)}`);
    done += supervisor.report.kills;
    seed = (seed + 1) >>> 0;
  }
  return done;
}
