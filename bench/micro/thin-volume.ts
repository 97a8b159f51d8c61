/**
 * What the engine adds to a command, without a network: 4 KiB at random places, on a raw file, on a thin volume, and on one with 1,000
 * snapshots, all in memory.
 *
 *     npx tsx bench/micro/thin-volume.ts
 */
import Benchmark from "benchmark";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FileDevice } from "../../src/device/file-device.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { writeBytes } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { EXTENT_BYTES, makePool, openPool } from "../engine/thin-pool.ts";
import { makeBackingFile } from "../support/targets.ts";

const MIB = 1024 * 1024;
const VOLUME_BYTES: number = 256 * MIB;
const SNAPSHOTS = 1000;
const BLOCK_BYTES = 4096;

type Data = Pick<FileDevice, "tryRead" | "tryWrite">;

async function fill(volume: ThinVolume): Promise<void> {
  const piece = Buffer.alloc(MIB, 0xa5);
  for (let offset = 0; offset < VOLUME_BYTES; offset += MIB) {
    await writeBytes(volume, offset, piece);
  }
  // The background gets ready what the next writes take.
  await sleep(1000);
}

async function makeVolume(pool: Pool, name: string, snapshots: number): Promise<ThinVolume> {
  const volume = await pool.createVolume({ name, uuid: randomUUID(), sizeBytes: VOLUME_BYTES });
  await fill(volume);
  const extent = Buffer.alloc(EXTENT_BYTES, 0x5a);
  for (let index = 0; index < snapshots; index += 1) {
    await pool.snapshot([{ source: volume, name: `${name}-${index}`, uuid: randomUUID() }]);
    await writeBytes(volume, (index * 7 * EXTENT_BYTES) % VOLUME_BYTES, extent);
  }
  if (snapshots > 0) await fill(volume);
  return volume;
}

function addTo(suite: Benchmark.Suite, name: string, data: Data): void {
  const random = new SeededRandom(1);
  const blocks = VOLUME_BYTES / BLOCK_BYTES;
  const places = Float64Array.from(
    { length: 4096 },
    () => (random.uint32() % blocks) * BLOCK_BYTES,
  );
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let next = 0;
  const place = (): number => {
    next = (next + 1) % places.length;
    return places[next] ?? 0;
  };
  // A file that was slow once gives the next writes to other threads for a while: so much of the figure is not worth anything.
  let refusals = 0;
  const note = (isDone: boolean): void => {
    if (!isDone) refusals += 1;
  };
  const report = (event: Benchmark.Event): void => {
    const { name: what, stats } = event.target;
    // The quickest sample is the one that nothing else has disturbed.
    const least = Math.min(...(stats?.sample ?? [])) * 1e6;
    const mean = (stats?.mean ?? NaN) * 1e6;
    process.stdout.write(
      `${String(what)}: ${least.toFixed(2)} us at best, ${mean.toFixed(2)} in the mean, ${refusals} not at once\n`,
    );
    refusals = 0;
  };
  const options = { maxTime: 1, onComplete: report };
  suite.add(`read, ${name}`, () => note(data.tryRead(buffer, 0, BLOCK_BYTES, place())), options);
  suite.add(`write, ${name}`, () => note(data.tryWrite(buffer, 0, BLOCK_BYTES, place())), options);
}

const folder = mkdtempSync("/dev/shm/thinlun-bench-");
try {
  const rawImage = join(folder, "raw");
  makeBackingFile(rawImage, VOLUME_BYTES);
  const raw = await FileDevice.open(rawImage);
  const image = join(folder, "pool");
  await makePool(image, 16 * VOLUME_BYTES);
  const { pool, close } = await openPool(image);
  const thin = await makeVolume(pool, "thin", 0);
  const many = await makeVolume(pool, "many", SNAPSHOTS);
  const suite = new Benchmark.Suite();
  addTo(suite, "raw file", raw);
  addTo(suite, "thin volume", thin);
  addTo(suite, `thin volume with ${SNAPSHOTS} snapshots`, many);
  suite.run();
  await close();
  await raw.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
