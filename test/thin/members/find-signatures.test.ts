import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import { CONTAINER_SIGNATURES } from "../../../src/thin/members/container-signatures.ts";
import { FILE_SYSTEM_SIGNATURES } from "../../../src/thin/members/file-system-signatures.ts";
import { findInView, findSignatures } from "../../../src/thin/members/find-signatures.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { testSuperblock, testUuid } from "./support/superblock.ts";
import { TestView } from "./support/view.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Neither a whole number of 4 KiB blocks nor of 64 KiB: the places at the end differ. */
const SIZE_BYTES = 64 * MIB + 1536;

const rows = [...FILE_SYSTEM_SIGNATURES, ...CONTAINER_SIGNATURES];

/** Everything that a row looks for, each place once. */
function placesOf(row: (typeof rows)[number]): number[] {
  const fromEnd = (row.fromEnd ?? []).map((distance) => SIZE_BYTES - distance);
  return [...(row.at ?? []), ...fromEnd, ...(row.place?.(SIZE_BYTES) ?? [])];
}

describe("the table of signatures", () => {
  it("finds each magic number in each of its places, and nothing else", () => {
    const test = new TestView(SIZE_BYTES);
    for (const row of rows.filter(({ confirm }) => confirm === undefined)) {
      for (const offsetBytes of placesOf(row)) {
        test.put(offsetBytes, row.magic);
        const found = findInView(test.view);
        const what = `${row.type} at ${offsetBytes}`;
        expect(found, what).toContainEqual(
          expect.objectContaining({ type: row.type, offsetBytes }),
        );
        // Formats that share a magic number share its type; a boot sector's end is no partition table then.
        expect(new Set(found.map(({ type }) => type)).size, what).toBe(1);
        test.erase(offsetBytes, row.magic.length);
      }
    }
    expect(findInView(test.view)).toEqual([]);
  });

  it("asks for more than a short magic number", () => {
    const test = new TestView(SIZE_BYTES);
    for (const row of rows.filter(({ confirm }) => confirm !== undefined)) {
      for (const offsetBytes of placesOf(row)) {
        test.put(offsetBytes, row.magic);
        const types = findInView(test.view).map(({ type }) => type);
        expect(types, `${row.type} at ${offsetBytes}`).not.toContain(row.type);
        test.erase(offsetBytes, row.magic.length);
      }
    }
  });

  it("knows by name what the study lists", () => {
    const types = new Set(rows.map(({ type }) => type));
    const listed = `
      LVM2_member ext xfs btrfs crypto_LUKS bcache bcachefs VMFS VMFS_volume_member swap ntfs
      exfat BitLocker ReFS vfat iso9660 udf jfs gfs2 reiserfs scoutfs hfsplus f2fs erofs vdo
      stratis ceph_bluestore apfs oracleasm drbdmanage_control_volume DM_verity_hash
      DM_integrity squashfs cramfs romfs ubi gpt linux_raid_member drbd isw_raid_member
      ddf_raid_member nilfs2 lsi_mega_raid_member promise_fasttrack_raid_member
      nvidia_raid_member silicon_medley_raid_member jmicron_raid_member adaptec_raid_member
      via_raid_member qcow2 vmdk vdi vhdx
    `;
    for (const type of listed.trim().split(/\s+/)) {
      expect(types).toContain(type);
    }
  });
});

/** Puts a byte, 16 or 32 bits at a place. */
function number(value: number, bytes: number, isBigEndian = false): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (isBigEndian) buffer.writeUIntBE(value, 0, bytes);
  else buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}

const uuidBytes = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const UUID = "00112233-4455-6677-8899-aabbccddeeff";

function ext(compat: number, incompat: number, readOnlyCompat: number): TestView {
  return new TestView(SIZE_BYTES)
    .put(0x400, number(128, 4))
    .put(0x438, "\x53\xef")
    .put(0x45c, number(compat, 4))
    .put(0x460, number(incompat, 4))
    .put(0x464, number(readOnlyCompat, 4))
    .put(0x468, uuidBytes)
    .put(0x478, "home\0");
}

describe("what is told of a signature", () => {
  it.each([
    ["ext2", ext(0, 2, 1)],
    ["ext3", ext(4, 6, 3)],
    ["ext4", ext(4, 0x2c2, 0x7b)],
    ["jbd", ext(0, 8, 0)],
  ])("is the version of ext: %s", (type, { view }) => {
    expect(findInView(view)).toEqual([{ type, offsetBytes: 0x438, uuid: UUID, label: "home" }]);
  });

  const end = SIZE_BYTES;
  const fatBoot = new TestView(SIZE_BYTES)
    .put(0, "\xeb\x3c\x90mkdosfs\0")
    .put(0x0b, number(512, 2))
    .put(0x0d, number(4, 1))
    .put(0x0e, number(1, 2))
    .put(0x10, number(2, 1))
    .put(0x15, number(0xf8, 1))
    .put(0x27, number(0x1234_abcd, 4))
    .put(0x1fe, "\x55\xaa");
  const jmicron = new TestView(SIZE_BYTES)
    .put(end - 512, "JM")
    .put(end - 510, number(0x1_0000 - 0x4d4a, 2));
  const silicon = new TestView(SIZE_BYTES)
    .put(end - 512 + 0x60, "\x00\x00\x00\x2f")
    .put(end - 512 + 318, number(0x1_0000 - 0x2f00, 2));
  const via = new TestView(SIZE_BYTES)
    .put(end - 512, "\x55\xaa\x01")
    .put(end - 512 + 50, number(0x00, 1));
  it.each([
    ["vfat", fatBoot, "1234-ABCD"],
    ["hfsplus", new TestView(SIZE_BYTES).put(KIB, "H+\x00\x04"), null],
    ["hfs", new TestView(SIZE_BYTES).put(KIB, "BD").put(KIB + 20, number(4096, 4, true)), null],
    [
      "nilfs2",
      new TestView(SIZE_BYTES)
        .put(KIB, number(2, 4))
        .put(KIB + 6, "\x34\x34")
        .put(KIB + 8, number(280, 2))
        .put(KIB + 152, uuidBytes),
      UUID,
    ],
    [
      "minix",
      new TestView(SIZE_BYTES)
        .put(KIB, number(100, 2))
        .put(KIB + 4, "\x01\x00\x01\x00")
        .put(KIB + 16, "\x8f\x13"),
      null,
    ],
    [
      "linux_raid_member",
      new TestView(SIZE_BYTES)
        .put(4096, "\xfc\x4e\x2b\xa9\x01\x00\x00\x00")
        .put(4096 + 16, uuidBytes),
      UUID,
    ],
    ["LVM1_member", new TestView(SIZE_BYTES).put(0, "HM\x01\x00"), null],
    ["mac", new TestView(SIZE_BYTES).put(0, "ER\x02\x00").put(512, "PM"), null],
    ["jmicron_raid_member", jmicron, null],
    ["silicon_medley_raid_member", silicon, null],
    ["via_raid_member", via, null],
    ["xfs", new TestView(SIZE_BYTES).put(0, "XFSB").put(32, uuidBytes), UUID],
    ["btrfs", new TestView(SIZE_BYTES).put(0x10040, "_BHRfS_M").put(0x10020, uuidBytes), UUID],
    [
      "crypto_LUKS",
      new TestView(SIZE_BYTES).put(0x40_0000, "SKUL\xba\xbe").put(0x40_0000 + 168, UUID),
      UUID,
    ],
    ["swap", new TestView(SIZE_BYTES).put(0xfff6, "SWAPSPACE2").put(0x40c, uuidBytes), UUID],
    [
      "gpt",
      new TestView(SIZE_BYTES).put(end - 512, "EFI PART").put(end - 512 + 56, uuidBytes),
      "33221100-5544-7766-8899-aabbccddeeff",
    ],
    [
      "drbd",
      new TestView(SIZE_BYTES)
        .put(end - 4096 + 60, "\x83\x74\x02\x6d")
        .put(end - 4096 + 48, "\xab\0\0\0\0\0\0\x01"),
      "ab00000000000001",
    ],
  ])("is confirmed and has its identity: %s", (type, { view }, uuid) => {
    const findings = findInView(view).filter((finding) => finding.type === type);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.uuid).toBe(uuid);
  });
});

describe("the findings on a device", () => {
  it("are none where all is zeros at its ends", async () => {
    const device = new MemoryDevice(SIZE_BYTES);
    await writeBytes(device, 20 * MIB, Buffer.from("XFSB"));
    expect(await findSignatures(device)).toEqual([]);
  });

  it.each([0, 5 * MIB, SIZE_BYTES - 1])(
    "are data where a byte is not zero and nothing explains it: at %d",
    async (offsetBytes) => {
      const device = new MemoryDevice(SIZE_BYTES);
      await writeBytes(device, offsetBytes, Buffer.from([1]));
      const findings = await findSignatures(device);
      expect(findings).toEqual([{ type: "data", offsetBytes, uuid: null, label: null }]);
    },
  );

  it("are a pool of ours, also where only a copy is left, or only the ruin of one", async () => {
    const device = new MemoryDevice(64 * MIB);
    await writeSuperblock(device, testSuperblock());
    const poolUuid = testUuid(100);
    const head = SUPERBLOCK_OFFSETS[0];
    const [tail] = tailOffsets(64 * MIB);
    expect(await findSignatures(device)).toEqual([
      { type: "thinlun", offsetBytes: head, uuid: poolUuid, label: "tank" },
      { type: "thinlun", offsetBytes: tail, uuid: poolUuid, label: "tank" },
    ]);
    await writeBytes(device, head, Buffer.alloc(4096));
    expect((await findSignatures(device)).map(({ offsetBytes }) => offsetBytes)).toEqual([tail]);
    await writeBytes(device, tail + 100, Buffer.from("broken"));
    expect(await findSignatures(device)).toEqual([
      { type: "thinlun", offsetBytes: tail, uuid: null, label: null },
    ]);
  });

  it("leave out the partition table that says only that a disk of ours is not empty", async () => {
    const device = new MemoryDevice(64 * MIB);
    const table = Buffer.alloc(512);
    table[0x1be + 4] = 0xda;
    table.writeUInt16LE(0xaa55, 510);
    await writeBytes(device, 0, table);
    expect((await findSignatures(device)).map(({ type }) => type)).toEqual(["dos"]);
    await writeSuperblock(device, testSuperblock());
    const types = (await findSignatures(device)).map(({ type }) => type);
    expect(types).toEqual(["thinlun", "thinlun"]);
    // Another table on it was put there by somebody.
    table[0x1be + 4] = 0x83;
    await writeBytes(device, 0, table);
    expect((await findSignatures(device)).map(({ type }) => type)).toContain("dos");
  });
});
