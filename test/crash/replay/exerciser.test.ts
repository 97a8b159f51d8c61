import { expect, test } from "vitest";
import { chooseSeed } from "../../../src/util/random.ts";
import { REPLAYS } from "../amount.ts";
import { Exerciser } from "./exerciser.ts";
import { checkExercised } from "./exerciser-check.ts";
import { type PoolShape, RecordedPool, uuidOf } from "./recorded-pool.ts";
import { replayLog } from "./replays.ts";
import { TagReader } from "./tag-reader.ts";

const MIB = 1024 * 1024;

const SHAPES: readonly PoolShape[] = [
  { devices: [72 * MIB], extentBytes: 64 * 1024, journalBytes: MIB },
  { devices: [68 * MIB, 68 * MIB], extentBytes: 16 * 1024, journalBytes: MIB },
];

/** Each log is so long, in entries, and cut so often. */
const LOG_ENTRIES = 6000;
const CUTS_PER_LOG = 3000;

/** Runs the exerciser on one pool, and recovers it from every cut of its log. */
async function replayExercise(shape: PoolShape, seed: number, count: number): Promise<string> {
  const recorded = await RecordedPool.make(shape, seed);
  const { pool, log } = recorded;
  const sizeBytes = 4 * MIB;
  const volume = await recorded.drive(
    pool.createVolume({ name: "disk", uuid: uuidOf(1), sizeBytes }),
  );
  const from = log.position;
  const exerciser = new Exerciser(recorded, volume);
  await exerciser.run(from + LOG_ENTRIES);

  const afterPower = exerciser.history.after("power");
  const afterKill = exerciser.history.after("kill");
  const reader = new TagReader();
  let sectors = 0;
  const replays = await replayLog({
    recorded,
    seed,
    from,
    count,
    check: async (inspection, position, isKill) => {
      const allowed = isKill ? afterKill : afterPower;
      allowed.advance(position);
      sectors += await checkExercised(inspection, exerciser, allowed, position, reader);
    },
  });
  return `${replays} replays of ${log.position} entries, ${sectors} sectors verified`;
}

test("a log of random writes, flushes and copies that is cut anywhere is recovered", async () => {
  const first = chooseSeed(process.env);
  const wanted = Math.ceil(REPLAYS * 0.6);
  let done = 0;
  for (let seed = first; done < wanted; seed = (seed + 1) >>> 0) {
    const shape = SHAPES[seed % SHAPES.length];
    if (shape === undefined) break;
    const count = Math.min(CUTS_PER_LOG, wanted - done);
    console.log(`exerciser, seed ${seed}: ${await replayExercise(shape, seed, count)}`);
    done += count;
  }
  expect(done).toBeGreaterThanOrEqual(wanted);
});
