import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { repairPool } from "../../../src/thin/tools/repair.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT, MIB, type PoolBench } from "../pool/support/pool-bench.ts";
import { flushed, type LoggedBench, loggedBench, reopened } from "./support/bench.ts";

/**
 * thin-provisioning-tools#226, #242, #265, stratisd#3520: after a power loss the transaction id of the metadata is not the one that the
 * volume manager expects, and the pool does not start; the repair works in place, loses volumes, finds "no compatible roots",
 * or runs out of metadata space.
 *
 * Here names and maps change by the same records, so they cannot disagree: at every moment of a history of management operations
 * a power loss leaves exactly the volumes of before or after, each with its content. And a repair writes to other devices, never
 * in place, and finds volumes by their self-describing pages.
 */

const seed = chooseSeed(process.env);

interface History extends LoggedBench {
  /** What the pool said when so many events had happened: "name:byte" of all volumes. */
  readonly states: { readonly event: number; readonly state: string }[];
}

/** Names, and the byte of the first extent. */
async function stateOf(bench: PoolBench): Promise<string> {
  const names: string[] = [];
  for (const volume of bench.pool.volumes()) {
    names.push(`${volume.attributes.name}:${await bench.byteAt(volume, 0)}`);
  }
  return names.toSorted().join(" ");
}

async function history(): Promise<History> {
  const { bench, log } = await loggedBench({ sizesMib: [16] });
  const origin = await bench.create("origin", 4 * MIB);
  await bench.fill(origin, 0, 4, 1);
  await flushed(bench, origin);
  await log.begin();
  const states = [{ event: 0, state: await stateOf(bench) }];
  const step = async (work: () => Promise<unknown>): Promise<void> => {
    await work();
    states.push({ event: log.events.length, state: await stateOf(bench) });
  };
  const { pool } = bench;
  for (let round = 2; round < 8; round += 1) {
    await step(() => bench.snapshot(origin, `snapshot-${round}`));
    await step(async () => {
      await bench.fill(origin, 0, 1, round);
      await flushed(bench, origin);
    });
    await step(() => bench.drive(pool.rename(pool.volume(`snapshot-${round}`), `kept-${round}`)));
    if (round % 2 === 0) await step(() => bench.drive(pool.checkpoint()));
    if (round === 5) await step(() => bench.drive(pool.rollback(origin, pool.volume("kept-3"))));
    if (round > 4) await step(() => bench.drive(pool.delete(pool.volume(`kept-${round - 2}`))));
  }
  return { bench, log, states };
}

test(`names and maps agree after a power loss at every moment (THINLUN_SEED=${seed})`, async () => {
  const { log, states } = await history();
  const random = new SeededRandom(seed);
  for (let count = 0; count <= log.events.length; count += 1 + random.below(3)) {
    const after = await reopened(await log.imagesAt(count, random), true);
    const last = states.findLastIndex(({ event }) => event <= count);
    // The operation under way has happened or not; a write of it may be there or not.
    const possible = states.slice(last, last + 2).map(({ state }) => state);
    expect(possible, `event ${count}`).toContain(await stateOf(after));
    await after.expectSound();
  }
}, 60_000);

test("a repair without a single root finds all volumes, and writes nothing to the pool that it saves", async () => {
  const { bench, log } = await history();
  await bench.drive(bench.pool.checkpoint());
  const expected = await stateOf(bench);
  const [device] = log.devices;
  const { addresses } = bench.pool.state;
  const roots = addresses.offsetOf(0);
  for (const block of [1, 2, 3])
    await writeBytes(device!, roots + block * 4096, Buffer.alloc(4096, 9));
  const broken = await readBytes(device!, 0, device!.capacityBytes);
  const writes = log.events.length;
  const random = new SeededRandom(seed);
  const target = new MemoryDevice(32 * MIB, "target");
  const report = await repairPool([device!], {
    targets: [{ device: target, isZero: true }],
    uuid: "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff",
    randomBytes: (length) => random.bytes(length),
    owner: bench.owner(),
    bootId: bench.bootId,
  });
  expect(report.source).toBe("scan");
  expect(log.events.length).toBe(writes);
  expect(broken.equals(await readBytes(device!, 0, device!.capacityBytes))).toBe(true);
  const saved = await reopened([target], false);
  expect(await stateOf(saved)).toBe(expected);
  expect(await saved.byteAt(saved.pool.volume("origin"), 3)).toBe(1);
  expect(EXTENT).toBe(saved.pool.extentBytes);
}, 60_000);
