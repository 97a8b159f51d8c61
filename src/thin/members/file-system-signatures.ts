import type { ProbeView } from "./probe-view.ts";
import { fromStart, serialAt, textAt, uuidAt, wideTextAt, type SignatureRow } from "./signature.ts";

/** Signatures of file systems and swap space. Offsets as libblkid's probers and the formats' own documents have them. */

const KIB = 1024;

/** From ext's magic number to the feature words of its superblock (ext4 documentation, "The Super Block"). */
const EXT_COMPATIBLE = 0x24;
const EXT_INCOMPATIBLE = 0x28;
const EXT_READ_ONLY_COMPATIBLE = 0x2c;
const EXT_HAS_JOURNAL = 0x4;
const EXT_JOURNAL_DEVICE = 0x8;
/** Features up to these are ext3's; others make it ext4. */
const EXT3_INCOMPATIBLE = 0x2 | 0x4 | 0x10;
const EXT3_READ_ONLY_COMPATIBLE = 0x1 | 0x2 | 0x4;

function word(view: ProbeView, offset: number): number {
  return view.bytes(offset, 4)?.readUInt32LE() ?? 0;
}

function extVersion(view: ProbeView, at: number): string {
  const incompatible = word(view, at + EXT_INCOMPATIBLE);
  if ((incompatible & EXT_JOURNAL_DEVICE) !== 0) return "jbd";
  const readOnly = word(view, at + EXT_READ_ONLY_COMPATIBLE);
  const newer = (incompatible & ~EXT3_INCOMPATIBLE) | (readOnly & ~EXT3_READ_ONLY_COMPATIBLE);
  if (newer !== 0) return "ext4";
  return (word(view, at + EXT_COMPATIBLE) & EXT_HAS_JOURNAL) === 0 ? "ext2" : "ext3";
}

/** Two bytes of magic are not enough: the log of the block size is small, and there are inodes. */
function isExt(view: ProbeView, at: number): boolean {
  return word(view, at - 0x20) <= 6 && word(view, at - 0x38) > 0;
}

/** A jump, then a BIOS parameter block that makes sense (Microsoft's FAT specification 1.03). */
function isBareFat(view: ProbeView): boolean {
  const boot = view.bytes(0, 512);
  if (boot === null || (boot[0] !== 0xeb && boot[0] !== 0xe9)) return false;
  const sectorBytes = boot.readUInt16LE(0x0b);
  const sectorsPerCluster = boot.readUInt8(0x0d);
  const powers = [sectorBytes, sectorsPerCluster].every(
    (value) => value > 0 && (value & (value - 1)) === 0,
  );
  const media = boot.readUInt8(0x15);
  return (
    powers &&
    sectorBytes >= 512 &&
    sectorBytes <= 4096 &&
    boot.readUInt16LE(0x0e) > 0 &&
    boot.readUInt8(0x10) >= 1 &&
    boot.readUInt8(0x10) <= 4 &&
    (media === 0xf0 || media >= 0xf8)
  );
}

function half(view: ProbeView, offset: number): number {
  return view.bytes(offset, 2)?.readUInt16LE() ?? 0;
}

/** NILFS2: revision 2 before the magic number, the bytes under its checksum behind it. */
function isNilfs(view: ProbeView, at: number): boolean {
  const checked = half(view, at + 2);
  return word(view, at - 6) === 2 && checked >= 16 && checked <= KIB;
}

/** Minix keeps the sizes of its two bitmaps before the magic number, in blocks; none of them is empty. */
function isMinix(view: ProbeView, at: number): boolean {
  return [-16, -12, -10].every((delta) => half(view, at + delta) !== 0);
}

/** Version 4 or 5, big-endian, follows the magic number (TN1150). */
function isHfsPlus(view: ProbeView, at: number): boolean {
  const version = view.bytes(at + 2, 2)?.readUInt16BE() ?? 0;
  return version === 4 || version === 5;
}

/** HFS: allocation blocks are whole sectors. */
function isHfs(view: ProbeView, at: number): boolean {
  const bytes = view.bytes(at + 20, 4)?.readUInt32BE() ?? 0;
  return bytes > 0 && bytes % 512 === 0;
}

/** The page sizes of all processors that Linux runs on; the magic ends the first page. */
const SWAP_PLACES = [4, 8, 16, 32, 64].map((kib) => kib * KIB - 10);
const SWAP_IDENTITY = { uuid: fromStart(uuidAt(0x40c)), label: fromStart(textAt(0x41c, 16)) };

/** Volume descriptors of optical media: 2 KiB each, from 32 KiB on. */
const DESCRIPTOR_PLACES = [...Array(16).keys()].map((index) => 32 * KIB + index * 2 * KIB + 1);

const FAT16_IDENTITY = { uuid: fromStart(serialAt(0x27, 4)), label: fromStart(textAt(0x2b, 11)) };
const FAT32_IDENTITY = { uuid: fromStart(serialAt(0x43, 4)), label: fromStart(textAt(0x47, 11)) };

/** The superblocks of UFS lie at 0, 8, 64 and 256 KiB; the magic number ends them. */
const UFS_PLACES = [0, 8, 64, 256].map((kib) => kib * KIB + 1372);

export const FILE_SYSTEM_SIGNATURES: readonly SignatureRow[] = [
  {
    type: "ext",
    magic: "\x53\xef",
    at: [0x438],
    confirm: isExt,
    closerType: extVersion,
    uuid: uuidAt(0x30),
    label: textAt(0x40, 16),
  },
  { type: "xfs", magic: "XFSB", at: [0], uuid: uuidAt(32), label: textAt(108, 12) },
  { type: "xfs_external_log", magic: "\xfe\xed\xba\xbe", at: [0] },
  {
    type: "btrfs",
    magic: "_BHRfS_M",
    at: [0x10040],
    uuid: uuidAt(-0x20),
    label: textAt(0xeb, 256),
  },
  ...["SWAPSPACE2", "SWAP-SPACE"].map((magic) => ({
    type: "swap",
    magic,
    at: SWAP_PLACES,
    ...SWAP_IDENTITY,
  })),
  ...["S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"].map((magic) => ({
    type: "swsuspend",
    magic,
    at: SWAP_PLACES,
    ...SWAP_IDENTITY,
  })),
  { type: "ntfs", magic: "NTFS    ", at: [3], uuid: fromStart(serialAt(0x48, 8)) },
  { type: "exfat", magic: "EXFAT   ", at: [3], uuid: fromStart(serialAt(100, 4)) },
  { type: "BitLocker", magic: "-FVE-FS-", at: [3] },
  { type: "BitLocker", magic: "\xeb\x58\x90MSWIN4.1", at: [0] },
  { type: "ReFS", magic: "\0\0\0ReFS\0", at: [0] },
  ...["FAT12   ", "FAT16   ", "FAT     ", "MSDOS"].map((magic) => ({
    type: "vfat",
    magic,
    at: [0x36],
    ...FAT16_IDENTITY,
  })),
  ...["FAT32   ", "MSWIN"].map((magic) => ({
    type: "vfat",
    magic,
    at: [0x52],
    ...FAT32_IDENTITY,
  })),
  { type: "vfat", magic: "\x55\xaa", at: [0x1fe], confirm: isBareFat, ...FAT16_IDENTITY },
  { type: "iso9660", magic: "CD001", at: DESCRIPTOR_PLACES, label: fromStart(textAt(0x8028, 32)) },
  { type: "iso9660", magic: "CDROM", at: [32 * KIB + 9] },
  ...["BEA01", "BOOT2", "CDW02", "NSR02", "NSR03", "TEA01"].map((magic) => ({
    type: "udf",
    magic,
    at: DESCRIPTOR_PLACES,
  })),
  { type: "jfs", magic: "JFS1", at: [32 * KIB], uuid: uuidAt(136), label: textAt(152, 16) },
  {
    type: "gfs2",
    magic: "\x01\x16\x19\x70",
    at: [64 * KIB],
    uuid: uuidAt(256),
    label: textAt(160, 64),
  },
  { type: "scoutfs", magic: "\x8b\x42\x3c\x10", at: [64 * KIB + 4] },
  ...["ReIsErFs", "ReIsEr2Fs", "ReIsEr3Fs"].map((magic) => ({
    type: "reiserfs",
    magic,
    at: [8 * KIB + 20, 8 * KIB + 0x34, 64 * KIB + 0x34],
    uuid: uuidAt(32),
    label: textAt(48, 16),
  })),
  { type: "reiser4", magic: "ReIsEr4", at: [64 * KIB] },
  { type: "hfsplus", magic: "H+", at: [KIB], confirm: isHfsPlus },
  { type: "hfsplus", magic: "HX", at: [KIB], confirm: isHfsPlus },
  { type: "hfs", magic: "BD", at: [KIB], confirm: isHfs },
  {
    type: "f2fs",
    magic: "\x10\x20\xf5\xf2",
    at: [KIB],
    uuid: uuidAt(0x6c),
    label: wideTextAt(0x7c, 512),
  },
  {
    type: "erofs",
    magic: "\xe2\xe1\xf5\xe0",
    at: [KIB],
    uuid: uuidAt(48),
    label: textAt(64, 16),
  },
  { type: "apfs", magic: "NXSB", at: [32], uuid: uuidAt(40) },
  {
    type: "nilfs2",
    magic: "\x34\x34",
    at: [KIB + 6],
    // Its backup lies 8 sectors before the end.
    fromEnd: [4 * KIB - 6],
    confirm: isNilfs,
    uuid: uuidAt(146),
    label: textAt(162, 80),
  },
  {
    type: "VMFS",
    magic: "\x5e\xf1\xab\x2f",
    at: [2048 * KIB],
    label: textAt(29, 128),
  },
  ...["hsqs", "sqsh"].map((magic) => ({ type: "squashfs", magic, at: [0] })),
  { type: "cramfs", magic: "Compressed ROMFS", at: [16, 528] },
  { type: "romfs", magic: "-rom1fs-", at: [0], label: textAt(16, 16) },
  { type: "ubi", magic: "UBI#", at: [0] },
  { type: "ubifs", magic: "\x31\x18\x10\x06", at: [0] },
  { type: "zonefs", magic: "SFOZ", at: [0] },
  {
    type: "ocfs2",
    magic: "OCFSV2",
    at: [1, 2, 4, 8].map((kib) => kib * KIB),
    uuid: uuidAt(0x150),
    label: textAt(0x110, 64),
  },
  { type: "ocfs", magic: "OracleCFS", at: [8 * KIB] },
  { type: "vxfs", magic: "\xf5\xfc\x01\xa5", at: [KIB] },
  { type: "vxfs", magic: "\xa5\x01\xfc\xf5", at: [8 * KIB] },
  { type: "hpfs", magic: "\x49\xe8\x95\xf9", at: [8 * KIB] },
  ...["BFS1", "1SFB"].map((magic) => ({ type: "befs", magic, at: [0x20, 0x220] })),
  { type: "bfs", magic: "\xce\xfa\xad\x1b", at: [0] },
  ...["\x19\x01\x54\x19", "\x54\x19\x01\x00", "\x19\x54\x01\x19", "\x00\x01\x19\x54"].map(
    (magic) => ({ type: "ufs", magic, at: UFS_PLACES }),
  ),
  ...["\x7f\x13", "\x8f\x13", "\x68\x24", "\x78\x24"].map((magic) => ({
    type: "minix",
    magic,
    at: [KIB + 0x10],
    confirm: isMinix,
  })),
  { type: "minix", magic: "\x5a\x4d", at: [KIB + 0x18] },
  { type: "nss", magic: "SPB5", at: [4 * KIB] },
  { type: "exfs", magic: "EXFS", at: [0], uuid: uuidAt(32), label: textAt(108, 12) },
  // NTFS keeps a copy of its boot sector in the last sector.
  { type: "ntfs", magic: "NTFS    ", fromEnd: [509], uuid: serialAt(0x45, 8) },
];
