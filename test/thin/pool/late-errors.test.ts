import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { STORAGE_RETRY_MS } from "../../../src/thin/pool/limits.ts";
import { flush, writeBytes } from "../../../src/util/io-request.ts";
import { ControlledCalls } from "../../device/controlled-calls.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { MIB, PoolBench } from "./support/pool-bench.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What statfs says of NFS, and of ext4. */
const NFS = 0x6969;
const EXT4 = 0xef53;

async function benchOn(fileSystemType: number): Promise<{ bench: PoolBench; codes: string[] }> {
  const path = join(folder, `image-${fileSystemType}`);
  await createImageFile(path, 64 * MIB);
  const calls = new ControlledCalls();
  const typeOf = (): Promise<number> => Promise.resolve(fileSystemType);
  const file = await FileDevice.open(path, { calls, lock: false, fileSystemType: typeOf });
  const disk = new DelayFilter(file, 0, (callback) => callback());
  return { bench: await PoolBench.make({ devices: [disk] }), codes: calls.writeErrors };
}

test("a pool on NFS stops when a server has no room: what was acknowledged may be lost, and no flush would say so", async () => {
  const { bench, codes } = await benchOn(NFS);
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  codes.push("ENOSPC");
  const failed = { kind: "failed" };
  await expect(bench.drive(writeBytes(volume, 0, Buffer.alloc(4096, 2)))).rejects.toMatchObject(
    failed,
  );
  await expect(bench.drive(flush(volume))).rejects.toMatchObject(failed);
  expect(bench.pool.failure).toMatchObject(failed);
  expect(bench.mark.pools.has(bench.pool.uuid)).toBe(true);
  await bench.devices[0]!.close();
});

test("a pool on a file system of this machine waits for room, and goes on", async () => {
  const { bench, codes } = await benchOn(EXT4);
  const volume = await bench.create("data");
  await bench.fill(volume, 0, 1, 1);
  codes.push("ENOSPC");
  let isDone = false;
  const writing = writeBytes(volume, 0, Buffer.alloc(4096, 2)).finally(() => (isDone = true));
  while (!isDone) await bench.pass(STORAGE_RETRY_MS);
  await writing;
  await bench.drive(flush(volume));
  expect([bench.pool.failure, codes.length]).toEqual([null, 0]);
  await bench.close();
  await bench.devices[0]!.close();
});
