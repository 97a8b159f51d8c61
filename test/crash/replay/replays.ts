import { SeededRandom } from "../../../src/util/random.ts";
import { chooseCuts } from "./cuts.ts";
import { Inspection } from "./inspection.ts";
import type { RecordedPool } from "./recorded-pool.ts";
import { Replay } from "./replay.ts";

/** How many replays pass until the tool looks at the devices, too. */
const REPLAYS_PER_CHECK = 10;

/** What was replayed. */
export interface ReplayOptions {
  readonly recorded: RecordedPool;
  readonly seed: number;
  /** Where the workload begins in the log. */
  readonly from: number;
  /** Cuts at random positions, besides those after each flush. */
  readonly count: number;
  /** Looks at what was recovered; positions only grow. */
  readonly check: (inspection: Inspection, position: number, isKill: boolean) => Promise<void>;
}

/** Cuts a log, recovers the pool each time, and has it looked at. Returns how often. */
export async function replayLog(options: ReplayOptions): Promise<number> {
  const { recorded, seed, from, count, check } = options;
  const { log, shape } = recorded;
  const random = new SeededRandom(seed);
  const replay = new Replay(log, shape.devices, random);
  const cuts = chooseCuts(log, from, count, random);
  for (const [index, { position, loss }] of cuts.entries()) {
    const isKill = loss === "none";
    try {
      const inspection = await Inspection.begin(await replay.cut(position, loss), isKill);
      await check(inspection, position, isKill);
      if (index % REPLAYS_PER_CHECK === 0) await inspection.checkDevices();
    } catch (error) {
      const where = `cut ${index} at ${position} of ${log.position} (${loss})`;
      throw new Error(`seed ${seed}, ${where}: ${String(error)}`, { cause: error });
    }
  }
  return cuts.length;
}
