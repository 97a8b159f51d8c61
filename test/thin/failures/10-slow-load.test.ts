import { expect, test } from "vitest";
import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { BLOCK, loggedBench, writeBlocks } from "./support/bench.ts";
import { readsByBlock } from "./support/reads.ts";

/**
 * spdk#3053: a blobstore of 15 TB with clusters of 32 MB took 34 s to load, for what it read grew with the pages that volumes could
 * have, and each was read by itself.
 *
 * Here opening reads what is mapped, not what could be: a volume of 512 TiB costs no more than one of 64 MiB with the same content, but
 * for the levels of its map; and the journal is read in long pieces.
 */

async function readsOfOpening(sizeBytes: number): Promise<{ pages: number; requests: number }> {
  const { bench, log } = await loggedBench();
  const [device] = log.devices;
  const volume = await bench.create("data", sizeBytes);
  await bench.fill(volume, 0, 8, 1);
  await bench.fill(volume, sizeBytes / EXTENT - 2, 2, 2);
  const from = volume.engine.state.addresses.offsetOf(0);
  await bench.close();
  device!.reads.length = 0;
  await bench.open();
  const reads = readsByBlock(device!, from);
  expect(Math.max(...reads.values())).toBe(1);
  const requests = device!.reads.length;
  expect(await bench.byteAt(bench.pool.volume("data"), sizeBytes / EXTENT - 1)).toBe(2);
  return { pages: reads.size, requests };
}

test("what lies together is read together: leaves that a checkpoint wrote are not read one by one", async () => {
  const leaves = 128;
  const { bench, log } = await loggedBench();
  const volume = await bench.create("data", leaves * LEAF_ENTRIES * EXTENT);
  for (let leaf = 0; leaf < leaves; leaf += 1) {
    await writeBlocks(bench, volume, (leaf * LEAF_ENTRIES * EXTENT) / BLOCK, [3]);
  }
  const from = volume.engine.state.addresses.offsetOf(0);
  await bench.close();
  log.devices[0]!.reads.length = 0;
  await bench.open();
  const reads = log.devices[0]!.reads.filter(({ offsetBytes }) => offsetBytes >= from);
  const bytes = reads.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  expect(bytes).toBeGreaterThanOrEqual(leaves * BLOCK);
  // Root, directory, volumes and two levels of nodes, the tails of the device, and the leaves in a few pieces.
  expect(reads.length).toBeLessThan(32);
});

test("opening a pool costs what is mapped, whatever the size of its volumes", async () => {
  const small = await readsOfOpening(1008 * EXTENT);
  const large = await readsOfOpening(2 ** 49);
  // Two roots, directory, volumes, node and leaf; then two leaves under two branches of four levels.
  expect(small.pages).toBe(6);
  expect(large.pages).toBeLessThanOrEqual(4 + 2 * (1 + 4));
  // The 1 MiB of the journal is 256 blocks: they are not read one by one.
  expect(small.requests).toBeLessThan(32);
  expect(large.requests - small.requests).toBeLessThanOrEqual(large.pages - small.pages);
  expect((1024 * 1024) / BLOCK).toBe(256);
}, 60_000);
