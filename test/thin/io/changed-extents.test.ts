import { describe, expect, it } from "vitest";
import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { type ChangedExtents, changedExtents } from "../../../src/thin/io/changed-extents.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { readBytes, writeBytes, writeZeroes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";

async function all(bench: PoolBench, from: ThinVolume, to: ThinVolume, countMax = 1000) {
  const { extents, nextOffsetBytes } = await bench.drive(changedExtents(from, to, 0, countMax));
  expect(nextOffsetBytes).toBeNull();
  return extents.map(({ offsetBytes, lengthBytes, mapped }) => [
    offsetBytes / EXTENT,
    lengthBytes / EXTENT,
    mapped,
  ]);
}

describe("the difference of two volumes", () => {
  it("is nothing for a copy, and what was written, unmapped or merely touched since", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("a");
    await bench.fill(volume, 0, 8, 1);
    const copy = await bench.snapshot(volume, "s");
    expect(await all(bench, copy, volume)).toEqual([]);
    await bench.fill(volume, 1, 2, 2);
    await bench.drive(writeBytes(volume, 5 * EXTENT, Buffer.alloc(512, 3)));
    await bench.drive(writeZeroes(volume, 3 * EXTENT, EXTENT));
    await bench.fill(volume, 10, 1, 1);
    const changed = [
      [1, 2, true],
      [3, 1, false],
      [5, 1, true],
      [10, 1, true],
    ];
    expect(await all(bench, copy, volume)).toEqual(changed);
    expect(await all(bench, volume, copy)).toEqual([
      [1, 3, true],
      [5, 1, true],
      [10, 1, false],
    ]);
    await bench.close();
  });

  it("sees blocks that were added to an extent that was PARTIAL before", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("a");
    await bench.fill(volume, 0, 1, 1);
    await bench.snapshot(volume, "s1");
    await bench.drive(writeBytes(volume, 0, Buffer.alloc(4096, 2)));
    const second = await bench.snapshot(volume, "s2");
    await bench.drive(writeBytes(volume, 8192, Buffer.alloc(4096, 3)));
    expect(await all(bench, second, volume)).toEqual([[0, 1, true]]);
    await bench.close();
  });

  it("comes in pages, past leaves and past the end of the other", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("a", 2 * LEAF_ENTRIES * EXTENT + 512);
    const small = await bench.create("b", EXTENT);
    const last = 2 * LEAF_ENTRIES;
    await bench.fill(volume, 3, 1, 1);
    await bench.fill(volume, LEAF_ENTRIES - 1, 2, 1);
    await bench.drive(writeBytes(volume, last * EXTENT, Buffer.alloc(512, 1)));
    const runs: [number, number][] = [];
    let offset: number | null = 0;
    while (offset !== null) {
      const page: ChangedExtents = await bench.drive(changedExtents(small, volume, offset, 1));
      for (const { offsetBytes, lengthBytes } of page.extents)
        runs.push([offsetBytes, lengthBytes]);
      offset = page.nextOffsetBytes;
    }
    expect(runs).toEqual([
      [3 * EXTENT, EXTENT],
      [(LEAF_ENTRIES - 1) * EXTENT, 2 * EXTENT],
      [last * EXTENT, 512],
    ]);
    await bench.close();
  });

  it("reads leaves that are not in memory", async () => {
    const bench = await PoolBench.make();
    const volume = await bench.create("a");
    await bench.fill(volume, 0, 4, 1);
    await bench.snapshot(volume, "s");
    await bench.fill(volume, 2, 1, 2);
    await bench.close();
    const pool = await bench.open();
    const found = await all(bench, pool.volume("s"), pool.volume("a"));
    expect(found).toEqual([[2, 1, true]]);
    await bench.close();
  });

  it("leaves out nothing that differs, whatever was done", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const bench = await PoolBench.make({ sizeBytes: 256 * MIB });
    const volume = await bench.create("a", 64 * EXTENT);
    const other = await bench.snapshot(volume, "s");
    for (let step = 0; step < 150; step += 1) {
      const offset = random.below(64 * 16) * 4096;
      const length = Math.min(4096 * (1 + random.below(20)), 64 * EXTENT - offset);
      if (random.chance(0.2)) await bench.drive(writeZeroes(volume, offset, length));
      else await bench.drive(writeBytes(volume, offset, Buffer.alloc(length, 1 + step)));
      if (step === 50) await bench.drive(bench.pool.rollback(volume, other));
      if (step === 75) await bench.snapshot(volume, "t");
    }
    for (const from of [other, bench.pool.volume("t")]) {
      const isChanged = new Set<number>();
      for (const [first = 0, run = 0] of (await all(bench, from, volume)) as number[][]) {
        for (let lext = first; lext < first + run; lext += 1) isChanged.add(lext);
      }
      for (let lext = 0; lext < 64; lext += 1) {
        if (isChanged.has(lext)) continue;
        const [left, right] = [
          await bench.drive(readBytes(from, lext * EXTENT, EXTENT)),
          await bench.drive(readBytes(volume, lext * EXTENT, EXTENT)),
        ];
        expect(left.equals(right), `extent ${lext}, THINLUN_SEED=${seed}`).toBe(true);
      }
    }
    await bench.close();
  });
});
