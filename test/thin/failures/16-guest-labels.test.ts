import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { findSignatures } from "../../../src/thin/members/find-signatures.ts";
import { OWN_TYPE } from "../../../src/thin/members/finding.ts";
import { scanDevices } from "../../../src/thin/members/scan.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, POOL_UUID, PoolBench } from "../pool/support/pool-bench.ts";
import { BLOCK, loggedBench } from "./support/bench.ts";
import { LoggedDevice } from "./support/device-log.ts";

/**
 * deckhouse#333 and #334, atmosphere#2377, harvester#3843, truenas-proxmox-plugin#4: the host's LVM finds the volume groups of guests on
 * the disks that it serves, activates them, and prints its advice into the JSON that programs read.
 *
 * Here nothing that a guest writes lies in the first 8 MiB or the last 2 MiB of a device, where tools look for labels, and the extents are
 * elsewhere anyway. A guest that writes labels of all kinds wherever labels can be does not make the pool's device anything else
 * than a device of the pool.
 */

/** Where tools of all kinds look for labels: said here once more, for it must not become less. */
const HEAD_BYTES: number = 8 * MIB;
const TAIL_BYTES: number = 2 * MIB;

/** What a guest's disk can begin with. */
function guestLabels(): Buffer {
  const labels = Buffer.alloc(EXTENT);
  labels.write("LABELONE", 512, "latin1");
  labels.write("LVM2 001", 512 + 24, "latin1");
  labels.write("EFI PART", 4096, "latin1");
  labels.writeUInt16LE(0xaa55, 510);
  labels.writeUInt16LE(0xef53, 0x438);
  labels.write("XFSB", 0, "latin1");
  labels.write("SWAPSPACE2", 4096 - 10, "latin1");
  labels.write("_BHRfS_M", 0x8040, "latin1");
  labels.write("thinlunpool\r\n\x1a\n\0", 8192, "latin1");
  return labels;
}

async function fillWithLabels(bench: PoolBench): Promise<void> {
  const volume = await bench.create("guest", 256 * MIB);
  const labels = guestLabels();
  let lext = 0;
  while (bench.pool.usage().usableBytes > 0) {
    await bench.drive(writeBytes(volume, lext * EXTENT, labels));
    lext += 1;
    if (lext % 32 === 0) await bench.pass(250);
  }
  expect(lext).toBeGreaterThan(50);
}

test("what a guest writes lies between the ends of a device, also of one that was added", async () => {
  const { bench, log } = await loggedBench({ sizesMib: [16, 14] });
  const added = new LoggedDevice(new MemoryDevice(14 * MIB, "added"), log);
  await bench.drive(bench.pool.addDevice(added, { uuid: bench.uuid(), isZero: true }));
  await log.begin();
  await fillWithLabels(bench);
  const labels = guestLabels();
  const written = new Set<BlockDevice>();
  let data = 0;
  for (const { device, event } of log.events) {
    if (event.kind !== "write" || event.bytes.length < EXTENT) continue;
    data += 1;
    written.add(device);
    expect(event.offsetBytes).toBeGreaterThanOrEqual(HEAD_BYTES);
    expect(event.offsetBytes + event.bytes.length).toBeLessThanOrEqual(
      device.capacityBytes - TAIL_BYTES,
    );
  }
  expect(data).toBeGreaterThan(50);
  expect(written.size).toBe(3);
  for (const device of log.devices) {
    const ends = [
      await readBytes(device, 0, HEAD_BYTES),
      await readBytes(device, device.capacityBytes - TAIL_BYTES, TAIL_BYTES),
    ];
    for (const end of ends) expect(end.indexOf(labels.subarray(512, 512 + 32))).toBe(-1);
    const types = (await findSignatures(device)).map(({ type }) => type);
    expect([...new Set(types)]).toEqual([OWN_TYPE]);
  }
}, 60_000);

test("a scan of an image full of guests' labels finds the pool and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thinlun-labels-"));
  try {
    const path = join(folder, "pool.img");
    await createImageFile(path, 24 * MIB);
    const device = await FileDevice.open(path, { lock: false });
    try {
      const bench = await PoolBench.make({ devices: [device] });
      await fillWithLabels(bench);
      await bench.close();
    } finally {
      await device.close();
    }
    const problems: string[] = [];
    const onProblem = (where: string): unknown => problems.push(where);
    const pools = await scanDevices([path], { onProblem });
    expect(pools.map(({ uuid }) => uuid)).toEqual([POOL_UUID]);
    expect(problems).toEqual([]);
    const again = await FileDevice.open(path, { readOnly: true, lock: false });
    try {
      const findings = await findSignatures(again);
      expect([...new Set(findings.map(({ type }) => type))]).toEqual([OWN_TYPE]);
      expect(findings[0]?.uuid).toBe(POOL_UUID);
      // They are there, in the middle.
      const middle = await readBytes(
        again,
        HEAD_BYTES,
        again.capacityBytes - HEAD_BYTES - TAIL_BYTES,
      );
      expect(middle.indexOf("LABELONE")).toBeGreaterThan(BLOCK);
    } finally {
      await again.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
