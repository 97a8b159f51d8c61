import { expect, test } from "vitest";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { EXTENT } from "../pool/support/pool-bench.ts";
import { loggedBench } from "./support/bench.ts";
import { readsByBlock } from "./support/reads.ts";

/**
 * qubes#10201 and snapper#216: thin_check at boot takes 30 minutes, or more than two with 94 snapshots, and the boot runs
 * into its timeout.
 *
 * Here opening reads each page of metadata once, however many volumes share it, and no data; the check of references is part of it.
 * Neither does an offline check read a page twice. Reads are counted: time is not measured.
 */

test("opening and checking a pool reads each page once, with 94 snapshots as with none", async () => {
  const { bench, log } = await loggedBench({ sizesMib: [64] });
  const [device] = log.devices;
  const volume = await bench.create("data", 1024 * 1008 * EXTENT);
  await log.begin();
  for (let leaf = 0; leaf < 20; leaf += 1) await bench.fill(volume, leaf * 1008, 1, 1 + leaf);
  const data = log
    .writes()
    .flatMap(({ offsetBytes, lengthBytes }) => (lengthBytes === EXTENT ? [offsetBytes] : []));
  expect(data).toHaveLength(20);
  const from = volume.engine.state.addresses.offsetOf(0);
  await bench.close();

  device!.reads.length = 0;
  await bench.open();
  const alone = readsByBlock(device!, from);
  for (let index = 0; index < 94; index += 1) {
    await bench.snapshot(bench.pool.volume("data"), `snapshot-${index}`);
  }
  await bench.close();
  device!.reads.length = 0;
  await bench.open();
  const shared = readsByBlock(device!, from);
  await bench.close();
  device!.reads.length = 0;
  expect((await checkPool([device!])).findings).toEqual([]);
  const checked = readsByBlock(device!, from);

  for (const reads of [alone, shared, checked]) {
    expect(Math.max(...reads.values())).toBe(1);
    expect(data.filter((at) => reads.has(at))).toEqual([]);
  }
  // 95 volumes take seven pages of records instead of one, and the checkpoint before has a directory and a page of its own, as it had no
  // volume yet the first time; nothing else is more.
  expect(shared.size - alone.size).toBe(6 + 2);
  expect(alone.size).toBeGreaterThan(20);
}, 60_000);
