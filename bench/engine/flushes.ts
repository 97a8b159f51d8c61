import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type FileSystemCalls, nodeFileSystem } from "../../src/device/file-system-calls.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import { flush, writeBytes } from "../../src/util/io-request.ts";
import type { Report } from "./report.ts";
import { EXTENT_BYTES, makePool, openPool } from "./thin-pool.ts";

/** How many calls of fdatasync a FLUSH makes: counted, not timed. */

const VOLUME_BYTES: number = 256 * 1024 * 1024;
const POOL_BYTES: number = 4 * VOLUME_BYTES;
const FLUSHES = 200;
const WRITES_BETWEEN = 16;

class CountedCalls {
  syncs = 0;

  readonly calls: FileSystemCalls = {
    ...nodeFileSystem,
    fdatasync: (fd, done) => {
      this.syncs += 1;
      nodeFileSystem.fdatasync(fd, done);
    },
  };
}

export async function benchFlushes(report: Report, folder: string): Promise<void> {
  report.heading("calls of fdatasync for each FLUSH, one device");
  const image = join(folder, "flushed-pool");
  await makePool(image, POOL_BYTES);
  const counted = new CountedCalls();
  // The background would add to what is counted.
  const settings = { discardBytesPerSecond: 0, fillBytesPerSecond: 0 };
  const { pool, close } = await openPool(image, { calls: counted.calls, settings });
  try {
    const volume = await pool.createVolume({
      name: "disk",
      uuid: randomUUID(),
      sizeBytes: VOLUME_BYTES,
    });
    const piece = Buffer.alloc(EXTENT_BYTES, 0xa5);
    for (let offset = 0; offset < VOLUME_BYTES; offset += EXTENT_BYTES) {
      await writeBytes(volume, offset, piece);
    }
    await pool.checkpoint();
    await flush(volume);
    const inPlace = await countFlushes(volume, counted);
    const touch = async (): Promise<void> => {
      await pool.snapshot([{ source: volume, name: `copy-${randomUUID()}`, uuid: randomUUID() }]);
    };
    const afterCopies = await countFlushes(volume, counted, touch);
    addCounts(report, "after writes in place", inPlace, 1);
    addCounts(report, "after first writes since a snapshot", afterCopies, 2);
  } finally {
    await close();
  }
}

/** Calls during each flush. */
async function countFlushes(
  volume: ThinVolume,
  counted: CountedCalls,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<number[]> {
  const block = Buffer.alloc(4096, 0x5a);
  const extents = VOLUME_BYTES / EXTENT_BYTES;
  const counts: number[] = [];
  for (let index = 0; index < FLUSHES; index += 1) {
    await before();
    for (let write = 0; write < WRITES_BETWEEN; write += 1) {
      const extent = (index * WRITES_BETWEEN + write * 7) % extents;
      await writeBytes(volume, extent * EXTENT_BYTES, block);
    }
    const at = counted.syncs;
    await flush(volume);
    counts.push(counted.syncs - at);
  }
  return counts;
}

function addCounts(report: Report, name: string, counts: readonly number[], most: number): void {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const greatest = Math.max(...counts);
  // The barrier in the background, once a second, may fall into a flush.
  const strays = counts.filter((count) => count > most).length;
  report.add({
    group: "flush",
    name,
    figures: `${mean.toFixed(2)} a FLUSH, at most ${greatest} of ${counts.length}; more than ${most}: ${strays}`,
    bar: `<= ${most}`,
    isMet: strays <= counts.length / 50,
    values: { counts },
  });
}
