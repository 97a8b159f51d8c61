import { expect, test } from "vitest";
import { Exerciser } from "./exerciser.ts";
import { checkExercised } from "./exerciser-check.ts";
import { RecordedPool, uuidOf } from "./recorded-pool.ts";
import { replayLog } from "./replays.ts";
import { TagReader } from "./tag-reader.ts";

const MIB = 1024 * 1024;
const SEED = 11;
const LOG_ENTRIES = 600;

test("a device that does not flush is found out", async () => {
  const shape = { devices: [72 * MIB], extentBytes: 64 * 1024, journalBytes: MIB };
  const recorded = await RecordedPool.make(shape, SEED);
  const { pool, log } = recorded;
  const spec = { name: "disk", uuid: uuidOf(1), sizeBytes: 4 * MIB };
  const volume = await recorded.drive(pool.createVolume(spec));
  const from = log.position;
  const exerciser = new Exerciser(recorded, volume);
  await exerciser.run(from + LOG_ENTRIES);
  // From here on it only says that it has flushed.
  for (let index = from; index < log.position; index += 1) {
    const entry = log.entries[index];
    if (entry?.kind === "flush") log.entries[index] = { ...entry, covers: 0 };
  }
  const allowed = exerciser.history.after("power");
  const reader = new TagReader();
  const replays = replayLog({
    recorded,
    seed: SEED,
    from,
    count: 0,
    check: async (inspection, position) => {
      allowed.advance(position);
      await checkExercised(inspection, exerciser, allowed, position, reader);
    },
  });
  await expect(replays).rejects.toThrow(/wanted write|is missing|newest checkpoint/);
});
