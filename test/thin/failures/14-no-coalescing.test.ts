import { expect, test } from "vitest";
import { JOURNAL_OFFSET_BYTES } from "../../../src/thin/format/layout.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { BLOCK, loggedBench, readBlocks, writeBlocks } from "./support/bench.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";

/**
 * longhorn#10188, #3613, #2777 and #11633: snapshots are links of a chain; deleting one of 4 TiB copies its blocks into the next for
 * hours, and needs space for that on a disk that is full. A counter that each write increased halved the rate of writes
 * (its pull request #7905).
 *
 * Here volumes are equal and there is no chain: 200 snapshots are deleted in any order, each for a record and its barrier, without
 * a read, and the others stay what they are. A write in place writes no metadata at all.
 */

const seed = chooseSeed(process.env);
const SNAPSHOTS = 200;

test(`200 snapshots are deleted in any order for a record each (THINLUN_SEED=${seed})`, async () => {
  const random = new SeededRandom(seed);
  const { bench, log } = await loggedBench({ sizesMib: [64] });
  const volume = await bench.create("data", 16 * EXTENT);
  const content = Array<number>(64).fill(0);
  const saved = new Map<string, number[]>();
  for (let index = 0; index < SNAPSHOTS; index += 1) {
    const block = random.below(64);
    content[block] = 1 + (index % 250);
    await writeBlocks(bench, volume, block, [1 + (index % 250)]);
    await bench.snapshot(volume, `snapshot-${index}`);
    saved.set(`snapshot-${index}`, [...content]);
  }
  // A checkpoint on the way would be counted; there is room for all of the records behind this one.
  await bench.drive(bench.pool.checkpoint());
  await bench.drive(bench.pool.checkpoint());
  const usedBefore = bench.pool.usage().dataBytes;
  const extentsAt = bench.pool.state.addresses.offsetOf(0);
  const names = [...saved.keys()];
  while (names.length > 0) {
    const [name] = names.splice(random.below(names.length), 1);
    log.events.length = 0;
    for (const device of log.devices) device.reads.length = 0;
    await bench.drive(bench.pool.delete(bench.pool.volume(name!)));
    const writes = log.writes();
    expect(writes.length).toBeLessThanOrEqual(2);
    for (const { offsetBytes } of writes) {
      expect(offsetBytes).toBeGreaterThanOrEqual(JOURNAL_OFFSET_BYTES);
      expect(offsetBytes).toBeLessThan(extentsAt);
    }
    expect(log.devices[0]!.reads).toEqual([]);
    if (names.length === 0 || names.length % 10 !== 0) continue;
    const other = random.pick(names);
    expect(await readBlocks(bench, bench.pool.volume(other), 0, 64)).toEqual(saved.get(other));
  }
  expect(await readBlocks(bench, volume, 0, 64)).toEqual(content);
  await bench.pass(1000);
  expect(bench.pool.usage().dataBytes).toBeLessThan(usedBefore / 4);
  await bench.expectSound();

  // What is the volume's own by now is written in place: once for good, then 100 times without a record.
  for (let block = 0; block < 64; block += 1) await writeBlocks(bench, volume, block, [3]);
  await bench.drive(bench.pool.sync());
  log.events.length = 0;
  for (let index = 0; index < 100; index += 1) await writeBlocks(bench, volume, index % 64, [4]);
  expect(log.writes().map(({ lengthBytes }) => lengthBytes)).toEqual(Array(100).fill(BLOCK));
  expect(log.flushes).toBe(0);
}, 60_000);
