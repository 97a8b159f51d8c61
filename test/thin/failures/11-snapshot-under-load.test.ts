import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { MIB, PoolBench } from "../pool/support/pool-bench.ts";
import { BLOCK } from "./support/bench.ts";
import { SlowDevice } from "./support/slow-device.ts";

/**
 * spdk#603 and #3113: a snapshot during I/O makes writes fail, or an assertion, or "may write error data to extent page 0".
 *
 * Here a snapshot closes the volume's gate, waits for what is in flight, and is one record (rule N). With 64 writes in flight at
 * all times, no write fails, each snapshot is an instant (what it shows includes all that was acknowledged before what it shows
 * began), and it stays what it was.
 */

const seed = chooseSeed(process.env);
const DEPTH = 64;
const BLOCKS = 256;
const SNAPSHOTS = 12;

interface Write {
  readonly block: number;
  readonly serial: number;
  readonly startedAt: number;
  endedAt: number;
}

class Load {
  readonly writes: Write[] = [];
  isOver = false;
  now = 0;
  readonly #volume: ThinVolume;
  readonly #random: SeededRandom;
  readonly #busy = new Set<number>();

  constructor(volume: ThinVolume, random: SeededRandom) {
    this.#volume = volume;
    this.#random = random;
  }

  /** One of those that keep 64 writes in flight: no two to one block, so that the order of a block's writes is known. */
  async run(): Promise<void> {
    while (!this.isOver) {
      let block = this.#random.below(BLOCKS);
      while (this.#busy.has(block)) block = (block + 1) % BLOCKS;
      this.#busy.add(block);
      const data = Buffer.alloc(BLOCK);
      const serial = this.writes.length + 1;
      for (let at = 0; at < BLOCK; at += 4) data.writeUInt32LE(serial, at);
      const write = { block, serial, startedAt: (this.now += 1), endedAt: Infinity };
      this.writes.push(write);
      await writeBytes(this.#volume, block * BLOCK, data);
      write.endedAt = this.now += 1;
      this.#busy.delete(block);
    }
  }
}

/** The serial of each block; -1 where a block is torn. */
async function serialsOf(bench: PoolBench, volume: ThinVolume): Promise<number[]> {
  const data = await bench.drive(readBytes(volume, 0, BLOCKS * BLOCK));
  return Array.from({ length: BLOCKS }, (_, block) => {
    const piece = data.subarray(block * BLOCK, (block + 1) * BLOCK);
    const serial = piece.readUInt32LE(0);
    for (let at = 0; at < BLOCK; at += 4) if (piece.readUInt32LE(at) !== serial) return -1;
    return serial;
  });
}

/** What is wrong with `shown` as one instant between two moments of a load, or null. */
function complaint(load: Load, shown: readonly number[], from: number, to: number): string | null {
  const latest = Math.max(0, ...shown.map((serial) => load.writes[serial - 1]?.startedAt ?? 0));
  if (latest > to) return "it shows a write that began when it was done";
  for (const { block, serial, endedAt } of load.writes) {
    // Acknowledged before the snapshot was asked for, or before something began that it shows.
    const mustShow = endedAt < Math.max(from, latest);
    if (mustShow && (shown[block] ?? 0) < serial)
      return `block ${block} shows ${shown[block]}, not ${serial}`;
  }
  return null;
}

test(`snapshots under 64 writes in flight are instants, and no write fails (THINLUN_SEED=${seed})`, async () => {
  const random = new SeededRandom(seed);
  const device = new SlowDevice(new MemoryDevice(64 * MIB, "disk"), random);
  const bench = await PoolBench.make({ devices: [device] });
  const volume = await bench.create("data", 16 * MIB);
  const load = new Load(volume, random);
  const workers = Array.from({ length: DEPTH }, () => load.run());
  let failure: unknown = null;
  const all = Promise.all(workers).catch((error: unknown) => (failure = error));
  const taken: { copy: ThinVolume; shown: number[] }[] = [];
  for (let index = 0; index < SNAPSHOTS; index += 1) {
    await bench.pass(50, 1);
    const from = load.now;
    const copy = await bench.snapshot(volume, `snapshot-${index}`);
    const to = load.now;
    const shown = await serialsOf(bench, copy);
    expect(shown).not.toContain(-1);
    expect(complaint(load, shown, from, to), `snapshot ${index}`).toBeNull();
    taken.push({ copy, shown });
  }
  load.isOver = true;
  await bench.drive(all);
  expect(failure).toBeNull();
  expect(load.writes.length).toBeGreaterThan(10 * DEPTH);
  for (const { copy, shown } of taken) expect(await serialsOf(bench, copy)).toEqual(shown);
  await bench.expectSound();
}, 60_000);
