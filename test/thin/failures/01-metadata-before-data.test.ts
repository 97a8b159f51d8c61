import { expect, test } from "vitest";
import { discard } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { BLOCK, flushed, loggedBench, readBlocks, reopened, writeBlocks } from "./support/bench.ts";

/**
 * Linux 694cfe7f31db (v5.5): the metadata of a thin pool was committed
 * before the data that it pointed to had been flushed. After a power loss a copied block held whatever had been in its new place: data
 * that the user had not touched for months was somebody else's.
 *
 * Here a flushed map never points to data that was not flushed before (rules A and B): at every moment of a history of copies
 * into used extents, each sector is what it was or what was written to it, and what was flushed is there.
 */

const seed = chooseSeed(process.env);
const SECRET = 0x5e;
const BLOCKS = (4 * EXTENT) / BLOCK;

test(`a power loss at any moment never shows what somebody else has written (THINLUN_SEED=${seed})`, async () => {
  const { bench, log } = await loggedBench({ sizesMib: [20], garbage: SECRET });
  const old = await bench.create("old", 4 * EXTENT);
  await bench.fill(old, 0, 4, SECRET);
  const volume = await bench.create("data", 4 * EXTENT);
  await bench.fill(volume, 0, 3, 1);
  await bench.snapshot(volume, "before");
  await bench.drive(discard(old, 0, 4 * EXTENT));
  await flushed(bench, volume);
  await log.begin();

  /** What each block may show once so many events have happened. */
  const allowed = Array.from({ length: BLOCKS }, (_, block) => new Set([block < 48 ? 1 : 0]));
  const history: { event: number; allowed: Set<number>[] }[] = [];
  const note = (): void => {
    const copy = allowed.map((values) => new Set(values));
    history.push({ event: log.events.length, allowed: copy });
  };
  note();
  const random = new SeededRandom(seed);
  for (let step = 2; step < 30; step += 1) {
    const block = random.below(BLOCKS);
    const count = Math.min(random.pick([1, 1, 2, 16]), BLOCKS - block);
    for (let each = block; each < block + count; each += 1) allowed[each]?.add(step);
    history[history.length - 1] = {
      event: history.at(-1)!.event,
      allowed: allowed.map((v) => new Set(v)),
    };
    await writeBlocks(bench, volume, block, Array<number>(count).fill(step));
    if (random.chance(0.3)) {
      await flushed(bench, volume);
      const now = await readBlocks(bench, volume, 0, BLOCKS);
      for (const [each, value] of now.entries()) allowed[each] = new Set([value]);
    }
    note();
  }
  for (let crash = 0; crash < 50; crash += 1) {
    const count = random.below(log.events.length + 1);
    const promise = history.findLast(({ event }) => event <= count)!;
    const after = await reopened(await log.imagesAt(count, random), true);
    const found = await readBlocks(after, after.pool.volume("data"), 0, BLOCKS);
    for (const [block, value] of found.entries()) {
      expect([...promise.allowed[block]!], `event ${count}, block ${block}`).toContain(value);
    }
    const snapshot = await readBlocks(after, after.pool.volume("before"), 0, BLOCKS);
    expect(snapshot).toEqual(Array.from({ length: BLOCKS }, (_, block) => (block < 48 ? 1 : 0)));
  }
}, 60_000);
