import { describe, expect, it } from "vitest";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import {
  newestOf,
  readSuperblockCopies,
  writeSuperblock,
} from "../../../src/thin/format/superblock-io.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { goldenSuperblock } from "./support/golden.ts";

const SIZE = goldenSuperblock.devices[0]?.sizeBytes ?? 0;
const TAIL = tailOffsets(SIZE);

function generations(copies: Awaited<ReturnType<typeof readSuperblockCopies>>): unknown[] {
  return copies.map(({ offsetBytes, superblock }) => [
    offsetBytes,
    superblock instanceof FormatFault ? superblock.kind : superblock.generation,
  ]);
}

describe("the copies of a superblock", () => {
  it("lie in the slot of their generation, at the head and at the end", async () => {
    const device = new MemoryDevice(SIZE);
    await writeSuperblock(device, goldenSuperblock);
    expect(generations(await readSuperblockCopies(device))).toEqual([
      [SUPERBLOCK_OFFSETS[0], "absent"],
      [SUPERBLOCK_OFFSETS[1], 5],
      [TAIL[0], "absent"],
      [TAIL[1], 5],
    ]);
    expect(newestOf(await readSuperblockCopies(new MemoryDevice(SIZE)))).toBeUndefined();
    await writeSuperblock(device, { ...goldenSuperblock, generation: 6 });
    expect(newestOf(await readSuperblockCopies(device))?.generation).toBe(6);
    expect(generations(await readSuperblockCopies(device))).toEqual([
      [SUPERBLOCK_OFFSETS[0], 6],
      [SUPERBLOCK_OFFSETS[1], 5],
      [TAIL[0], 6],
      [TAIL[1], 5],
    ]);
  });

  it("at the end stay where the device ended when it joined the pool", async () => {
    const device = new MemoryDevice(SIZE + 5 * 2 ** 20);
    await writeSuperblock(device, goldenSuperblock);
    const copies = generations(await readSuperblockCopies(device));
    expect(copies.slice(2)).toEqual([
      [TAIL[0], "absent"],
      [TAIL[1], 5],
    ]);
  });

  it("at the end are found when the head is lost", async () => {
    const device = new MemoryDevice(SIZE);
    await writeSuperblock(device, goldenSuperblock);
    await writeBytes(device, 0, Buffer.alloc(8 * 2 ** 20, 0xee));
    expect(generations(await readSuperblockCopies(device))).toEqual([
      [SUPERBLOCK_OFFSETS[0], "absent"],
      [SUPERBLOCK_OFFSETS[1], "absent"],
      [TAIL[0], "absent"],
      [TAIL[1], 5],
    ]);
  });

  it("are refused in the place of the other slot", async () => {
    const device = new MemoryDevice(SIZE);
    await writeSuperblock(device, goldenSuperblock);
    const bytes = await readBytes(device, SUPERBLOCK_OFFSETS[1], 4096);
    await writeBytes(device, SUPERBLOCK_OFFSETS[0], bytes);
    const [first] = await readSuperblockCopies(device);
    expect(first?.superblock).toMatchObject({ kind: "misplaced" });
  });

  it("are missing one by one where the device is shorter, or cannot be read", async () => {
    const small = await readSuperblockCopies(new MemoryDevice(2 ** 20));
    expect(small.every(({ superblock }) => superblock instanceof FormatFault)).toBe(true);
    const device = new ErrorFilter(new MemoryDevice(SIZE));
    await writeSuperblock(device, goldenSuperblock);
    device.setRules([{ error: "medium", endBytes: 8 * 2 ** 20 }]);
    expect(generations(await readSuperblockCopies(device))).toEqual([
      [SUPERBLOCK_OFFSETS[0], "damaged"],
      [SUPERBLOCK_OFFSETS[1], "damaged"],
      [TAIL[0], "absent"],
      [TAIL[1], 5],
    ]);
  });
});
