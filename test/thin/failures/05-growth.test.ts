import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXTENT, MIB, PoolBench, uuidOf } from "../pool/support/pool-bench.ts";
import { BLOCK, flushed, readBlocks, reopened, soil } from "./support/bench.ts";
import { DeviceLog, LoggedDevice } from "./support/device-log.ts";

/**
 * stratisd#1242 and #831: after a pool had grown, the XFS on it was broken, and "many files zeroed out".
 *
 * Here growth is one record of the journal; a device's label comes before it, flushes reach the device from then on, and its extents
 * are handed out when the record is durable (rule G). A pool that grows under load, by a device and by an image that became
 * larger, is crashed at every moment: the pool opens, with the capacity of before or after, and no write is lost or changed.
 */

const seed = chooseSeed(process.env);
const VOLUME_EXTENTS = 160;

test(`a pool that grows under load survives a crash at any moment (THINLUN_SEED=${seed})`, async () => {
  const log = new DeviceLog();
  const disk = new MemoryDevice(14 * MIB, "disk");
  const added = new MemoryDevice(14 * MIB, "added");
  soil(added, 0xee);
  const [first, second] = [new LoggedDevice(disk, log), new LoggedDevice(added, log)];
  const bench = await PoolBench.make({ devices: [first] });
  const volume = await bench.create("data", VOLUME_EXTENTS * EXTENT);
  await bench.fill(volume, 0, 16, 1);
  await flushed(bench, volume);
  disk.resize(17 * MIB);
  await log.begin();

  const random = new SeededRandom(seed);
  /** What each extent holds, as of how many events, and whether a flush covers it. */
  const acknowledged: { lext: number; byte: number; event: number; stableAt: number }[] = [];
  let lext = 16;
  const load = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1, lext += 1) {
      const byte = 2 + (lext % 200);
      // Half of an extent: the rest must read as zeros wherever it came from.
      await bench.drive(writeBytes(volume, lext * EXTENT, Buffer.alloc(EXTENT / 2, byte)));
      acknowledged.push({ lext, byte, event: log.events.length, stableAt: Infinity });
      if (!random.chance(0.3)) continue;
      await flushed(bench, volume);
      for (const each of acknowledged) each.stableAt = Math.min(each.stableAt, log.events.length);
    }
  };
  const capacities = new Set([bench.pool.usage().capacityBytes]);
  let growth = bench.drive(bench.pool.growDevice(0));
  await load(8);
  await growth;
  capacities.add(bench.pool.usage().capacityBytes);
  growth = bench.drive(bench.pool.addDevice(second, { uuid: uuidOf(77), isZero: false }));
  await load(8);
  await growth;
  capacities.add(bench.pool.usage().capacityBytes);
  await load(Math.floor(bench.pool.usage().usableBytes / EXTENT) - 16);
  expect(
    log.writes().some(({ device, offsetBytes }) => device === second && offsetBytes >= 8 * MIB),
  ).toBe(true);

  for (let crash = 0; crash < 36; crash += 1) {
    const isPowerLoss = crash % 3 > 0;
    const count = random.below(log.events.length + 1);
    const images = await log.imagesAt(count, isPowerLoss ? random : null);
    const after = await reopened(images, isPowerLoss);
    const where = `crash ${crash}: event ${count}`;
    expect([...capacities], where).toContain(after.pool.usage().capacityBytes);
    const again = after.pool.volume("data");
    for (let each = 0; each < 16; each += 1) expect(await after.byteAt(again, each)).toBe(1);
    for (const { lext: each, byte, event, stableAt } of acknowledged) {
      const found = await halves(after, each);
      const isKept = (isPowerLoss ? stableAt : event) <= count;
      if (isKept) expect(found, where).toEqual([byte, 0]);
      else expect([`${byte},0`, "0,0", "-1,0"], where).toContain(found.join(","));
    }
    await after.expectSound();
  }
}, 60_000);

/** The byte of each half of an extent; -1 where sectors of it are still zeros, -2 where it is anything else. */
async function halves(bench: PoolBench, lext: number): Promise<number[]> {
  const half = EXTENT / 2 / BLOCK;
  const found = await readBlocks(
    bench,
    bench.pool.volume("data"),
    (lext * EXTENT) / BLOCK,
    2 * half,
  );
  return [found.slice(0, half), found.slice(half)].map((blocks) => {
    const values = new Set(blocks);
    const [first = -2] = blocks;
    if (values.size === 1) return first;
    return values.size === 2 && values.has(0) && values.has(2 + (lext % 200)) ? -1 : -2;
  });
}
