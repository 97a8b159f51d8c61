import type { ProbeView } from "./probe-view.ts";
import {
  guidAt,
  lvmUuidAt,
  md090Uuid,
  SECTOR_BYTES,
  textAt,
  uuidAt,
  uuidTextAt,
  vmfsUuidAt,
  type Extract,
  type SignatureRow,
} from "./signature.ts";

/** Signatures of what holds other things: volume managers, arrays, caches, encryption, partition tables, disk images. */

const KIB = 1024;
const MIB: number = 1024 * KIB;

/** Where LUKS2 may have its second header: the powers of two from 16 KiB to 4 MiB. */
const LUKS2_SECOND_HEADERS = [...Array(9).keys()].map((power) => 16 * KIB * 2 ** power);

/** md 0.90: in the last whole 64 KiB before the last 64 KiB begin. */
function md090Place(sizeBytes: number): readonly number[] {
  const unit = 64 * KIB;
  return [Math.floor(sizeBytes / unit) * unit - unit];
}

/** md 1.0: at least 8 KiB before the end, on a 4 KiB boundary. */
function md10Place(sizeBytes: number): readonly number[] {
  const sectors = Math.floor(sizeBytes / SECTOR_BYTES) - 16;
  return [(sectors - (sectors % 8)) * SECTOR_BYTES];
}

/** DRBD's own block is the last 4 KiB; the magic number lies 60 bytes into it. */
function drbdPlaces(sizeBytes: number): readonly number[] {
  const blocks = Math.floor(sizeBytes / 4096) * 4096;
  return [...new Set([sizeBytes, blocks])].map((end) => end - 4096 + 60);
}

/** The eight bytes of DRBD's device UUID are printed most significant first, without leading zeros. */
function drbdUuid(delta: number): Extract {
  return (view, at) => {
    const value = view.bytes(at + delta, 8)?.readBigUInt64BE() ?? 0n;
    return value === 0n ? null : value.toString(16);
  };
}

function isMd1(view: ProbeView, at: number): boolean {
  return view.bytes(at + 4, 4)?.readUInt32LE() === 1;
}

/** Sums of 16-bit words, little-endian, over a part of a sector. */
function sumOfHalves(view: ProbeView, start: number, count: number): number {
  let sum = 0;
  const bytes = view.bytes(start, count * 2);
  for (let index = 0; bytes !== null && index < count; index += 1) {
    sum += bytes.readUInt16LE(index * 2);
  }
  return sum & 0xffff;
}

function isJMicron(view: ProbeView, at: number): boolean {
  return sumOfHalves(view, at, 64) <= 1;
}

/** Where Silicon Image's magic number lies in its sector; the checksum makes the first 320 bytes sum up to zero. */
const SILICON_MAGIC_AT = 0x60;

function isSilicon(view: ProbeView, at: number): boolean {
  return sumOfHalves(view, at - SILICON_MAGIC_AT, 160) === 0;
}

/** Byte 50 is the sum of those before. A boot sector's signature is the same, at another place. */
function isVia(view: ProbeView, at: number): boolean {
  const bytes = view.bytes(at, 51);
  if (bytes === null || bytes.readUInt8(2) > 2) return false;
  const sum = bytes.subarray(0, 50).reduce((total, byte) => total + byte, 0);
  return (sum & 0xff) === bytes.readUInt8(50);
}

/** LVM1: a version of 1 or 2 follows. */
function isLvm1(view: ProbeView, at: number): boolean {
  const version = view.bytes(at + 2, 2)?.readUInt16LE();
  return version === 1 || version === 2;
}

/** Apple's driver descriptor: the size of a block, big-endian, and a first partition entry behind it. */
function isMac(view: ProbeView, at: number): boolean {
  const blockBytes = view.bytes(at + 2, 2)?.readUInt16BE() ?? 0;
  return blockBytes >= 512 && view.has(at + blockBytes, Buffer.from("PM"));
}

const PROMISE_SECTORS = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087];

const BCACHE_MAGIC = "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
const BCACHEFS_MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
const MD1 = { confirm: isMd1, uuid: uuidAt(16), label: textAt(32, 32) };

const VOLUME_MANAGERS: readonly SignatureRow[] = [
  {
    type: "LVM2_member",
    magic: "LVM2 001",
    at: [0x018, 0x218, 0x418, 0x618],
    uuid: lvmUuidAt(8),
  },
  { type: "LVM1_member", magic: "HM", at: [0], confirm: isLvm1 },
  { type: "DM_snapshot_cow", magic: "SnAp", at: [0] },
  { type: "DM_verity_hash", magic: "verity\0\0", at: [0], uuid: uuidAt(16) },
  { type: "DM_integrity", magic: "integrt\0", at: [0] },
  { type: "crypto_LUKS", magic: "LUKS\xba\xbe", at: [0], uuid: uuidTextAt(168, 40) },
  {
    type: "crypto_LUKS",
    magic: "SKUL\xba\xbe",
    at: [0, ...LUKS2_SECOND_HEADERS],
    uuid: uuidTextAt(168, 40),
    label: textAt(24, 48),
  },
  { type: "bcache", magic: BCACHE_MAGIC, at: [0x1018], uuid: uuidAt(16), label: textAt(48, 32) },
  {
    type: "bcachefs",
    magic: BCACHEFS_MAGIC,
    at: [0x1018, 2 * MIB + 0x18],
    place: (sizeBytes) => [sizeBytes - MIB + 0x18],
    uuid: uuidAt(32),
    label: textAt(48, 32),
  },
  { type: "vdo", magic: "dmvdo001", at: [0], uuid: uuidAt(40) },
  {
    type: "stratis",
    magic: "!Stra0tis\x86\xff\x02^\x41rh",
    at: [0x204, 0x1204],
    uuid: uuidTextAt(60, 32),
  },
  {
    type: "ceph_bluestore",
    magic: "bluestore block device",
    at: [0],
    uuid: uuidTextAt(23, 36),
  },
  {
    type: "VMFS_volume_member",
    magic: "\x0d\xd0\x01\xc0",
    at: [MIB],
    uuid: vmfsUuidAt(130),
  },
  { type: "oracleasm", magic: "ORCLDISK", at: [32], label: textAt(8, 24) },
  { type: "mpool", magic: "mpoolDev", at: [0] },
  { type: "drbdmanage_control_volume", magic: "$DRBDmgr=q", at: [0] },
  { type: "drbdproxy_datalog", magic: "DRBDdlh*", at: [0] },
  { type: "drbd", magic: "\x83\x74\x02\x6d", place: drbdPlaces, uuid: drbdUuid(-12) },
  ...["\x83\x74\x02\x6b", "\x83\x74\x02\x6c"].map((magic) => ({
    type: "drbd",
    magic,
    place: drbdPlaces,
    uuid: drbdUuid(-20),
  })),
];

const ARRAYS: readonly SignatureRow[] = [
  ...["\xfc\x4e\x2b\xa9", "\xa9\x2b\x4e\xfc"].map((magic) => ({
    type: "linux_raid_member",
    magic,
    place: md090Place,
    uuid: md090Uuid,
  })),
  { type: "linux_raid_member", magic: "\xfc\x4e\x2b\xa9", place: md10Place, ...MD1 },
  { type: "linux_raid_member", magic: "\xfc\x4e\x2b\xa9", at: [0, 4 * KIB], ...MD1 },
  // Two sectors before the end, of 512 bytes or 4 KiB.
  { type: "isw_raid_member", magic: "Intel Raid ISM Cfg Sig. ", fromEnd: [1024, 8 * KIB] },
  ...["\xde\x11\xde\x11", "\x11\xde\x11\xde"].map((magic) => ({
    type: "ddf_raid_member",
    magic,
    fromEnd: [SECTOR_BYTES, 257 * SECTOR_BYTES],
  })),
  { type: "lsi_mega_raid_member", magic: "$XIDE$", fromEnd: [SECTOR_BYTES] },
  {
    type: "promise_fasttrack_raid_member",
    magic: "Promise Technology, Inc.",
    fromEnd: PROMISE_SECTORS.map((sectors) => sectors * SECTOR_BYTES),
  },
  {
    type: "silicon_medley_raid_member",
    magic: "\x00\x00\x00\x2f",
    fromEnd: [SECTOR_BYTES - SILICON_MAGIC_AT],
    confirm: isSilicon,
  },
  { type: "nvidia_raid_member", magic: "NVIDIA  ", fromEnd: [2 * SECTOR_BYTES] },
  { type: "jmicron_raid_member", magic: "JM", fromEnd: [SECTOR_BYTES], confirm: isJMicron },
  { type: "adaptec_raid_member", magic: "\x37\xfc\x4d\x1e", fromEnd: [SECTOR_BYTES] },
  { type: "via_raid_member", magic: "\x55\xaa", fromEnd: [SECTOR_BYTES], confirm: isVia },
  ...["\xf3\x16\x78\x5a", "\xfd\x16\x78\x5a"].map((magic) => ({
    type: "hpt45x_raid_member",
    magic,
    fromEnd: [11 * SECTOR_BYTES],
  })),
  ...["\xf0\x16\x78\x5a", "\xfd\x16\x78\x5a"].map((magic) => ({
    type: "hpt37x_raid_member",
    magic,
    at: [4640],
  })),
];

const PARTITION_TABLES: readonly SignatureRow[] = [
  // Sectors of 512 bytes and of 4 KiB; the backup is in the last sector.
  {
    type: "gpt",
    magic: "EFI PART",
    at: [512, 4096],
    fromEnd: [512, 4096],
    uuid: guidAt(56),
  },
  { type: "mac", magic: "ER", at: [0], confirm: isMac },
  { type: "sun", magic: "\xda\xbe", at: [508] },
  { type: "sgi", magic: "\x0b\xe5\xa9\x41", at: [0] },
  { type: "bsd", magic: "\x57\x45\x56\x82", at: [64, 128, 512] },
  { type: "aix", magic: "\xc9\xc2\xd4\xc1", at: [0] },
  { type: "atari", magic: "AHDI", at: [0] },
];

/** A disk in a file: it would be a loss even where the first MiB is nearly empty. */
const DISK_IMAGES: readonly SignatureRow[] = [
  { type: "qcow2", magic: "QFI\xfb", at: [0] },
  { type: "qed", magic: "QED\0", at: [0] },
  { type: "vmdk", magic: "KDMV", at: [0] },
  { type: "vmdk", magic: "COWD", at: [0] },
  { type: "vmdk", magic: "# Disk DescriptorFile", at: [0] },
  { type: "vdi", magic: "\x7f\x10\xda\xbe", at: [0x40], uuid: guidAt(0x148) },
  { type: "vhdx", magic: "vhdxfile", at: [0] },
  { type: "vhd", magic: "conectix", at: [0], fromEnd: [SECTOR_BYTES], uuid: uuidAt(68) },
  { type: "parallels", magic: "WithoutFreeSpace", at: [0] },
  { type: "parallels", magic: "WithouFreSpacExt", at: [0] },
  { type: "bochs", magic: "Bochs Virtual HD Image", at: [0] },
];

export const CONTAINER_SIGNATURES: readonly SignatureRow[] = [
  ...VOLUME_MANAGERS,
  ...ARRAYS,
  ...PARTITION_TABLES,
  ...DISK_IMAGES,
];
