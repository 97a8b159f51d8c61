import { expect, test } from "vitest";
import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { discard, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";
import { BLOCK } from "./support/bench.ts";

/**
 * Linux 07f2b6e0382 and lvmthin(7), "Metadata space exhaustion": the separate device of a thin pool's metadata fills up, the transaction is
 * aborted, writes that were acknowledged are lost, the pool is marked needs_check, and has to be repaired offline, and then
 * the file systems on it.
 *
 * Here metadata takes its places from the pool itself, behind a reserve that data cannot take. Filled to the brim in
 * the way that costs most of it (one block in each leaf, so that each has its side pages), the pool still checkpoints,
 * snapshots, unmaps and deletes, and is whole after a kill.
 */

const LEAF_BYTES = LEAF_ENTRIES * EXTENT;

test("a pool that is full of metadata still does all that does not need space for data", async () => {
  const bench = await PoolBench.make({
    sizeBytes: 24 * MIB,
    isZero: false,
    settings: { holdMs: 0, fullRetryMs: 0 },
  });
  const volume = await bench.create("sparse", 1024 * LEAF_BYTES);
  let written = 0;
  let refusal: unknown = null;
  while (refusal === null) {
    const write = writeBytes(
      volume,
      written * LEAF_BYTES,
      Buffer.alloc(BLOCK, 1 + (written % 250)),
    );
    await bench.drive(write.catch((error: unknown) => (refusal = error)));
    if (refusal === null) written += 1;
    if (written % 16 === 0) await bench.pass(250);
  }
  expect(refusal).toBeInstanceOf(IoError);
  expect((refusal as IoError).kind).toBe("space");
  expect(written).toBeGreaterThan(50);
  // Every leaf has a page of its own with two more at its side: more metadata than a sixteenth of the data.
  expect(bench.pool.usage().metadataBytes).toBeGreaterThan((written * EXTENT) / 16);
  // A second block beside each: that takes no extent, and changes every page of the maps.
  for (let index = 0; index < written; index += 1) {
    const data = Buffer.alloc(BLOCK, 1 + (index % 250));
    await bench.drive(writeBytes(volume, index * LEAF_BYTES + BLOCK, data));
  }
  await bench.drive(bench.pool.checkpoint());
  for (let round = 0; round < 6; round += 1) {
    await bench.snapshot(volume, `snapshot-${round}`);
    await bench.drive(bench.pool.checkpoint());
  }
  await bench.drive(discard(volume, 0, LEAF_BYTES));
  await bench.drive(bench.pool.checkpoint());
  for (let round = 0; round < 6; round += 1) {
    await bench.drive(bench.pool.delete(bench.pool.volume(`snapshot-${round}`)));
    await bench.drive(bench.pool.checkpoint());
  }
  expect(bench.pool.failure).toBeNull();
  await bench.expectSound();
  await bench.kill();
  await bench.expectSound();
  for (const index of [1, 2, written - 1]) {
    const again = bench.pool.volume("sparse");
    expect(await bench.drive(readBytes(again, index * LEAF_BYTES, 2 * BLOCK))).toEqual(
      Buffer.alloc(2 * BLOCK, 1 + (index % 250)),
    );
  }
  // The places of what is unmapped come back, for data as well.
  await bench.drive(discard(bench.pool.volume("sparse"), 0, 40 * LEAF_BYTES));
  await bench.drive(bench.pool.checkpoint());
  await bench.drive(bench.pool.checkpoint());
  await bench.drive(writeBytes(bench.pool.volume("sparse"), 0, Buffer.alloc(BLOCK, 7)));
}, 60_000);
