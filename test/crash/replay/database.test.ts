import { expect, test } from "vitest";
import { chooseSeed } from "../../../src/util/random.ts";
import { REPLAYS } from "../amount.ts";
import { Database, DATABASE_BYTES, checkDatabase } from "./database.ts";
import { type PoolShape, RecordedPool, uuidOf } from "./recorded-pool.ts";
import { replayLog } from "./replays.ts";

const MIB = 1024 * 1024;
const SHAPES: readonly PoolShape[] = [
  { devices: [72 * MIB], extentBytes: 64 * 1024, journalBytes: MIB },
  { devices: [68 * MIB, 68 * MIB], extentBytes: 16 * 1024, journalBytes: MIB },
];

const TRANSACTIONS = 250;
const CUTS_PER_LOG = 4000;

/** Now and then a copy is made, so that the database writes into shared extents. */
const COPY_EVERY = 50;

async function replayDatabase(shape: PoolShape, seed: number, count: number): Promise<string> {
  const recorded = await RecordedPool.make(shape, seed);
  const { pool, log, random } = recorded;
  const volume = await recorded.drive(
    pool.createVolume({ name: "db", uuid: uuidOf(1), sizeBytes: DATABASE_BYTES }),
  );
  const from = log.position;
  const database = new Database(volume, random, () => log.position);
  await recorded.drive(database.checkpoint());
  for (let number = 1; number <= TRANSACTIONS; number += 1) {
    await recorded.drive(database.transaction());
    if (number % COPY_EVERY === 0) {
      const name = `backup${number}`;
      await recorded.drive(pool.snapshot([{ source: volume, name, uuid: uuidOf(number + 1) }]));
    }
  }
  const replays = await replayLog({
    recorded,
    seed,
    from,
    count,
    check: async (inspection, position) => {
      const content = await inspection.content(inspection.pool.volume("db"));
      checkDatabase(content, database.commits, position);
    },
  });
  return `${replays} replays of ${log.position} entries, ${TRANSACTIONS} transactions`;
}

test("a database has every committed transaction, wherever the log is cut", async () => {
  const first = chooseSeed(process.env);
  const wanted = Math.ceil(REPLAYS * 0.4);
  let done = 0;
  for (let seed = first; done < wanted; seed = (seed + 1) >>> 0) {
    const shape = SHAPES[seed % SHAPES.length];
    if (shape === undefined) break;
    const count = Math.min(CUTS_PER_LOG, wanted - done);
    console.log(`database, seed ${seed}: ${await replayDatabase(shape, seed, count)}`);
    done += count;
  }
  expect(done).toBeGreaterThanOrEqual(wanted);
});
