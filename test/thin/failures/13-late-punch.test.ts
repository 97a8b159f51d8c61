import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { FileLockedError } from "../../../native-free/file-lock.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { discard, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "../pool/support/pool-bench.ts";
import { spawnMortal } from "../../support/mortal-child.ts";
import { BLOCK } from "./support/bench.ts";
import { SlowDevice } from "./support/slow-device.ts";

/**
 * cloud-hypervisor#8624 and #8597: a hole was punched after its cluster had been given to somebody else, whose data it wiped; and
 * clusters that had held metadata were never used again, so that images grew to twice their size.
 *
 * Here an extent that is being punched cannot be allocated until the punch has ended and a flush has followed (rule Z); a punch that is
 * still under way when the daemon is killed keeps the lock of the file, so that nobody opens it meanwhile; and the places of
 * checkpoints come back.
 */

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-punch-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("an extent that is being punched is nobody's, however long that takes", async () => {
  const device = new SlowDevice(new MemoryDevice(24 * MIB, "disk"), null);
  const settings = { discardBytesPerSecond: 1024 * MIB, holdMs: 100_000 };
  const bench = await PoolBench.make({ devices: [device], settings });
  const volume = await bench.create("data", 64 * MIB);
  const extents = await bench.fillUp(volume, 1);
  device.isHoldingDiscards = true;
  await bench.drive(discard(volume, 0, 100 * EXTENT));
  await bench.pass(2000);
  expect(device.discards.length).toBeGreaterThan(0);
  const { space } = volume.engine.state;
  expect(space.punchingExtents).toBeGreaterThan(50);
  expect(space.allocate(null, 1000)).toBe(-1);
  // Writes wait for it, and what they write afterwards is not wiped.
  const writes: Promise<void>[] = [];
  for (let lext = extents; lext < extents + 80; lext += 1) {
    writes.push(writeBytes(volume, lext * EXTENT, Buffer.alloc(EXTENT, 2)));
  }
  await bench.pass(1000);
  device.letDiscards();
  await bench.pass(2000);
  await bench.drive(Promise.all(writes));
  for (let lext = extents; lext < extents + 80; lext += 1) {
    expect(await bench.byteAt(volume, lext)).toBe(2);
  }
  await bench.expectSound();
}, 60_000);

test("a pool is not opened while a punch of its killed owner is under way", async () => {
  const path = join(folder, "pool.img");
  await createImageFile(path, 32 * MIB);
  const device = await FileDevice.open(path);
  const bench = await PoolBench.make({ devices: [device] });
  const volume = await bench.create("data", 64 * MIB);
  await bench.fill(volume, 0, 40, 1);
  await bench.drive(discard(volume, 0, 20 * EXTENT));
  await bench.close();
  await device.close();

  const tools = join(folder, "tools");
  const [armed, started, mayEnd] = ["armed", "started", "may-end"].map((name) =>
    join(folder, name),
  );
  await mkdir(tools);
  const script = `#!/bin/sh
    if [ -e ${armed} ]; then
      : > ${started}; i=0
      while [ ! -e ${mayEnd} ] && [ $i -lt 600 ]; do /bin/sleep 0.05; i=$((i+1)); done
    fi
    PATH=/usr/sbin:/usr/bin:/sbin:/bin exec fallocate "$@"`;
  await writeFile(join(tools, "fallocate"), script);
  await chmod(join(tools, "fallocate"), 0o755);
  await writeFile(join(folder, "owner.mts"), ownerScript(path, tools, armed!));
  const loader = join(TOP, "node_modules/tsx/dist/loader.mjs");
  const owner = spawnMortal(process.execPath, ["--import", loader, join(folder, "owner.mts")]);
  let complaint = "";
  owner.stderr?.on("data", (text: Buffer) => (complaint += text.toString()));
  await vi.waitUntil(() => existsSync(started!) || owner.exitCode !== null, { timeout: 30_000 });
  expect(complaint).toBe("");
  const ended = once(owner, "exit");
  owner.kill("SIGKILL");
  await ended;

  // The punch is alive, and has what it needs to do its work on somebody else's data.
  await expect(FileDevice.open(path)).rejects.toThrow(FileLockedError);
  await writeFile(mayEnd!, "");
  const again = await vi.waitFor(() => FileDevice.open(path), { timeout: 30_000 });
  const after = new PoolBench([again]);
  await after.open();
  const data = after.pool.volume("data");
  for (let lext = 0; lext < 60; lext += 1) {
    expect(await after.byteAt(data, lext)).toBe(lext >= 20 && lext < 40 ? 1 : 0);
  }
  await after.fill(data, 40, 20, 3);
  for (let lext = 40; lext < 60; lext += 1) expect(await after.byteAt(data, lext)).toBe(3);
  await after.expectSound();
  await after.close();
  await again.close();
}, 60_000);

test("the places of checkpoints come back", async () => {
  const bench = await PoolBench.make({ sizeBytes: 32 * MIB });
  const volume = await bench.create("data", 64 * 1008 * EXTENT);
  const sizes: number[] = [];
  for (let round = 0; round < 120; round += 1) {
    const at = (round % 16) * 1008 * EXTENT;
    await bench.drive(writeBytes(volume, at, Buffer.alloc(BLOCK, round)));
    await bench.drive(discard(volume, ((round + 8) % 16) * 1008 * EXTENT, EXTENT));
    await bench.drive(bench.pool.checkpoint());
    sizes.push(bench.pool.usage().metadataBytes);
  }
  expect(Math.max(...sizes.slice(60))).toBeLessThanOrEqual(Math.max(...sizes.slice(20, 40)));
}, 60_000);

const TOP = join(import.meta.dirname, "..", "..", "..");

/** A process that opens the pool, passes its discards down, and never ends. */
function ownerScript(path: string, tools: string, armed: string): string {
  return `
    import { writeFileSync } from "node:fs";
    import { FileDevice } from "${TOP}/src/device/file-device.ts";
    import { Pool } from "${TOP}/src/thin/pool/pool.ts";
    import { systemClock } from "${TOP}/src/util/clock.ts";
    import { silentLog } from "${TOP}/src/util/log.ts";
    const device = await FileDevice.open("${path}", { toolPath: "${tools}" });
    writeFileSync("${armed}", "");
    const owner = {
      hostId: "7b1c5a52-6f0e-4d2b-8f39-9a351d6f9c0b",
      bootId: "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11",
      nonce: "00000000-0000-4000-8000-00000000abcd",
      pid: process.pid,
      openedAtSeconds: 1_700_000_000,
    };
    const failureMark = { isSet: () => Promise.resolve(false), set: () => undefined };
    await Pool.open({ devices: [device], owner, clock: systemClock, log: silentLog, failureMark });
    setInterval(() => undefined, 1000);`;
}
