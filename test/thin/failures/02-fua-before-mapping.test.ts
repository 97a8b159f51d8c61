import { expect, test } from "vitest";
import { writeStable } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { BLOCK, flushed, loggedBench, readBlocks, reopened } from "./support/bench.ts";

/**
 * Linux 4ae280b4ee34: a thin pool acknowledged a FUA write that overwrote a whole block when its data was stable, and before the mapping
 * that leads to it was committed. After a power loss the write had never been.
 *
 * Here FUA is data, map record and barrier before the answer: the sector is there after a power loss at every moment
 * from the acknowledgement on, whatever the extent was before.
 */

const seed = chooseSeed(process.env);

test(`a FUA write is there after a power loss at every moment behind its answer (THINLUN_SEED=${seed})`, async () => {
  const { bench, log } = await loggedBench({ sizesMib: [14] });
  const volume = await bench.create("data", 8 * EXTENT);
  await bench.fill(volume, 0, 4, 1);
  await bench.snapshot(volume, "before");
  await bench.fill(volume, 2, 2, 2);
  await flushed(bench, volume);
  await log.begin();
  const acknowledged: { block: number; count: number; value: number; event: number }[] = [];
  // Shared, partial, whole and shared, own, hole, whole hole, own by now.
  const writes = [
    [0, 1],
    [1, 2],
    [16, 16],
    [33, 1],
    [64, 1],
    [80, 16],
    [0, 1],
  ] as const;
  for (const [index, [block, count]] of writes.entries()) {
    const value = 10 + index;
    await bench.drive(writeStable(volume, block * BLOCK, Buffer.alloc(count * BLOCK, value)));
    for (let each = block; each < block + count; each += 1) {
      acknowledged.push({ block: each, count: 1, value, event: log.events.length });
    }
  }
  const random = new SeededRandom(seed);
  for (let count = 1; count <= log.events.length; count += 1) {
    const after = await reopened(await log.imagesAt(count, random), true);
    const found = await readBlocks(after, after.pool.volume("data"), 0, (8 * EXTENT) / BLOCK);
    for (const { block, value, event } of acknowledged) {
      if (event > count) continue;
      const later = acknowledged.filter((other) => other.block === block && other.value > value);
      const values = [value, ...later.map((other) => other.value)];
      expect(values, `event ${count}, block ${block}`).toContain(found[block]);
    }
  }
}, 60_000);
