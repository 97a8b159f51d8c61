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
import type { MicroBench, MicroCase, PreparedBench } from "./runner.ts";

const MIB = 1024 * 1024;
const VOLUME_BYTES: number = 256 * MIB;
const BRIEF_VOLUME_BYTES: number = 4 * MIB;
const SNAPSHOTS = 1000;
const BRIEF_SNAPSHOTS = 3;
const BLOCK_BYTES = 4096;
/** The background gets ready what the next writes take. */
const SETTLE_MS = 1000;

interface Shape {
  readonly volumeBytes: number;
  readonly snapshots: number;
  readonly settleMs: number;
}

type Data = Pick<FileDevice, "tryRead" | "tryWrite">;

async function fill(volume: ThinVolume, { volumeBytes, settleMs }: Shape): Promise<void> {
  const piece = Buffer.alloc(MIB, 0xa5);
  for (let offset = 0; offset < volumeBytes; offset += MIB) {
    await writeBytes(volume, offset, piece);
  }
  await sleep(settleMs);
}

async function makeVolume(pool: Pool, name: string, shape: Shape): Promise<ThinVolume> {
  const { volumeBytes, snapshots } = shape;
  const volume = await pool.createVolume({ name, uuid: randomUUID(), sizeBytes: volumeBytes });
  await fill(volume, shape);
  const extent = Buffer.alloc(EXTENT_BYTES, 0x5a);
  for (let index = 0; index < snapshots; index += 1) {
    await pool.snapshot([{ source: volume, name: `${name}-${index}`, uuid: randomUUID() }]);
    await writeBytes(volume, (index * 7 * EXTENT_BYTES) % volumeBytes, extent);
  }
  if (snapshots > 0) await fill(volume, shape);
  return volume;
}

function casesOf(name: string, data: Data, volumeBytes: number): MicroCase[] {
  const random = new SeededRandom(1);
  const blocks = volumeBytes / BLOCK_BYTES;
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
  const command = (what: string, move: (offset: number) => boolean): MicroCase => {
    // A file that was slow once gives the next writes to other threads for a while: so much of the figure is not worth anything.
    let refusals = 0;
    return {
      name: `${what}, ${name}`,
      bytes: BLOCK_BYTES,
      run: () => {
        const isDone = move(place());
        if (!isDone) refusals += 1;
        return isDone ? 1 : 0;
      },
      note: () => `${refusals} not at once`,
    };
  };
  return [
    command("read", (offset) => data.tryRead(buffer, 0, BLOCK_BYTES, offset)),
    command("write", (offset) => data.tryWrite(buffer, 0, BLOCK_BYTES, offset)),
  ];
}

async function prepareIn(folder: string, isBrief: boolean): Promise<PreparedBench> {
  const volumeBytes = isBrief ? BRIEF_VOLUME_BYTES : VOLUME_BYTES;
  const settleMs = isBrief ? 0 : SETTLE_MS;
  const snapshots = isBrief ? BRIEF_SNAPSHOTS : SNAPSHOTS;
  const rawImage = join(folder, "raw");
  makeBackingFile(rawImage, volumeBytes);
  const raw = await FileDevice.open(rawImage);
  const image = join(folder, "pool");
  await makePool(image, 16 * volumeBytes);
  const { pool, close } = await openPool(image);
  const thin = await makeVolume(pool, "thin", { volumeBytes, settleMs, snapshots: 0 });
  const many = await makeVolume(pool, "many", { volumeBytes, settleMs, snapshots });
  return {
    cases: [
      ...casesOf("raw file", raw, volumeBytes),
      ...casesOf("thin volume", thin, volumeBytes),
      ...casesOf(`thin volume with ${snapshots} snapshots`, many, volumeBytes),
    ],
    close: async () => {
      await close();
      await raw.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const thinVolumeBench: MicroBench = {
  name: "thin-volume",
  about:
    "what the engine adds to 4 KiB at random places: a raw file, a thin volume, and one with snapshots, in memory",
  prepare: async (isBrief) => {
    const folder = mkdtempSync("/dev/shm/thinlun-bench-");
    try {
      return await prepareIn(folder, isBrief);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  },
};
