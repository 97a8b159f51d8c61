import type { LeafPointers, PagePointer } from "../../../../src/thin/format/pointer.ts";
import type { JournalRecord } from "../../../../src/thin/format/records.ts";
import type { Root } from "../../../../src/thin/format/root.ts";
import type { Superblock } from "../../../../src/thin/format/superblock.ts";
import type { VolumeRecord } from "../../../../src/thin/format/volume-record.ts";

/**
 * One value of each structure and its bytes, pinned: a change of the format shows here and nowhere else. FORMAT.md has the same example.
 */

export const GOLDEN_POOL = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";
const FIRST_DEVICE = "11111111-2222-4333-8444-555555555555";
const SECOND_DEVICE = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const GIB = 2 ** 30;

const devices = [
  { uuid: FIRST_DEVICE, sizeBytes: GIB },
  { uuid: SECOND_DEVICE, sizeBytes: 2 * GIB },
];

export const goldenSuperblock: Superblock = {
  features: { compat: 0, roCompat: 0, incompat: 0 },
  poolUuid: GOLDEN_POOL,
  deviceUuid: FIRST_DEVICE,
  deviceIndex: 0,
  devices,
  extentBytes: 65_536,
  needsCheck: false,
  readOnly: false,
  clean: true,
  generation: 5,
  epoch: 3,
  root: { block: 16, crc: 0x0123_4567 },
  checkpointSeq: 41,
  journal: { offsetBytes: 8 * 2 ** 20, blocks: 4096 },
  owner: {
    hostId: "01020304-0506-0708-090a-0b0c0d0e0f10",
    bootId: "b0071d00-0000-4000-8000-000000000001",
    nonce: "0000ce00-0000-4000-8000-000000000002",
    pid: 4242,
    openedAtSeconds: 1_790_000_000,
    state: "clean",
  },
  poolName: "tank",
};

export const goldenRoot: Root = {
  checkpointSeq: 41,
  nextVolumeId: 3,
  volumeCount: 2,
  devices,
  segments: [
    { device: 0, offsetBytes: 24 * 2 ** 20, extents: 15_968, virginFrom: 4096 },
    { device: 1, offsetBytes: 8 * 2 ** 20, extents: 32_608, virginFrom: 0 },
  ],
  settings: { name: "tank", overcommitMax: 2.5, thresholds: [0.75, 0.875] },
  directories: [{ block: 17, crc: 0x89ab_cdef }],
};

const goldenAttributes = {
  id: 1,
  uuid: "cccccccc-dddd-4eee-8fff-000000000001",
  name: "data",
  sizeBytes: 100 * 2 ** 20,
  readOnly: false,
  isSnapshot: false,
  originId: 0,
  createdAt: 1_790_000_001,
  reservedBytes: 2 ** 20,
  quotaBytes: 0,
};

const goldenSnapshot = {
  ...goldenAttributes,
  id: 2,
  uuid: "cccccccc-dddd-4eee-8fff-000000000002",
  name: "data@mon",
  readOnly: true,
  isSnapshot: true,
  originId: 1,
  reservedBytes: 0,
};

export const goldenVolumes: VolumeRecord[] = [
  {
    attributes: goldenAttributes,
    mappedExtents: 5,
    ownedExtents: 2,
    depth: 1,
    root: { block: 18, crc: 0x1111_2222 },
  },
  {
    attributes: goldenSnapshot,
    mappedExtents: 4,
    ownedExtents: 0,
    depth: 1,
    root: { block: 19, crc: 0x3333_4444 },
  },
];

/** One of each kind. */
export const goldenRecords: JournalRecord[] = [
  { kind: "map", volume: 1, lext: 7, phys: 100, run: 3, safe: true },
  { kind: "map", volume: 1, lext: 2016, phys: 200, run: 1, safe: false },
  { kind: "partial", volume: 1, lext: 9, phys: 201, mask: 0x8001, base: 102 },
  { kind: "partial", volume: 1, lext: 10, phys: 202, mask: 2, base: -1 },
  { kind: "unmap", volume: 1, lext: 0, run: 1600 },
  { kind: "create", attributes: goldenAttributes },
  { kind: "snapshot", source: 1, attributes: goldenSnapshot },
  { kind: "rollback", volume: 1, source: 2 },
  { kind: "resize", volume: 1, sizeBytes: 200 * 2 ** 20 },
  { kind: "delete", volume: 2 },
  { kind: "attributes", attributes: { ...goldenAttributes, name: "data-old" } },
  {
    kind: "add-device",
    device: { uuid: SECOND_DEVICE, sizeBytes: 2 * GIB },
    segment: { device: 1, offsetBytes: 8 * 2 ** 20, extents: 32_608, virginFrom: 32_608 },
  },
  {
    kind: "grow-device",
    device: 1,
    sizeBytes: 3 * GIB,
    segment: { device: 1, offsetBytes: 2046 * 2 ** 20, extents: 16_384, virginFrom: 0 },
  },
  { kind: "virgin", segment: 0, from: 8192 },
  { kind: "settings", settings: goldenRoot.settings },
  { kind: "barrier", upto: 43 },
];

export const goldenLeaves: (LeafPointers | null)[] = [
  { leaf: { block: 20, crc: 0x5555_6666 }, bases: null, masks: null },
  null,
  {
    leaf: { block: 21, crc: 0x7777_8888 },
    bases: { block: 22, crc: 0x9999_aaaa },
    masks: { block: 23, crc: 0xbbbb_cccc },
  },
];

export const goldenPointers: (PagePointer | null)[] = [
  { block: 18, crc: 0x1111_2222 },
  null,
  { block: 2 ** 33, crc: 1 },
];

export const goldenSuperblockHex = `0000: 74 68 69 6e 6c 75 6e 70 6f 6f 6c 0d 0a 1a 0a 00
0010: 01 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00
0020: 00 00 00 00 10 00 00 00 6f 1d 2c 3b 4a 59 46 87
0030: 97 85 a4 b3 c2 d1 e0 ff 11 11 11 11 22 22 43 33
0040: 84 44 55 55 55 55 55 55 00 00 00 00 02 00 00 00
0050: 05 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00
0060: 29 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00
0070: 67 45 23 01 00 00 00 00 00 00 80 00 00 00 00 00
0080: 00 10 00 00 00 00 00 00 01 02 03 04 05 06 07 08
0090: 09 0a 0b 0c 0d 0e 0f 10 b0 07 1d 00 00 00 40 00
00a0: 80 00 00 00 00 00 00 01 00 00 ce 00 00 00 40 00
00b0: 80 00 00 00 00 00 00 02 92 10 00 00 01 00 00 00
00c0: 80 3b b1 6a 00 00 00 00 00 00 00 00 00 00 00 00
0100: 04 74 61 6e 6b 00 00 00 00 00 00 00 00 00 00 00
0180: 11 11 11 11 22 22 43 33 84 44 55 55 55 55 55 55
0190: 00 00 00 40 00 00 00 00 aa aa aa aa bb bb 4c cc
01a0: 8d dd ee ee ee ee ee ee 00 00 00 80 00 00 00 00
0ff0: 00 00 00 00 00 00 00 00 00 00 00 00 76 7f 0f 32`;

export const goldenRootHex = `0000: 54 4c 50 47 01 00 00 00 6f 1d 2c 3b 4a 59 46 87
0010: 97 85 a4 b3 c2 d1 e0 ff 05 00 00 00 00 00 00 00
0020: 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0030: 00 00 00 00 00 00 00 00 00 00 00 00 91 04 da da
0040: 29 00 00 00 00 00 00 00 03 00 00 00 02 00 00 00
0050: 02 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00
0060: 00 00 00 00 00 00 04 40 00 00 00 00 00 00 e8 3f
0070: 00 00 00 00 00 00 ec 3f 00 00 00 00 00 00 00 00
00a0: 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
00b0: 04 74 61 6e 6b 00 00 00 00 00 00 00 00 00 00 00
0140: 11 00 00 00 00 00 00 00 ef cd ab 89 00 00 00 00
0240: 11 11 11 11 22 22 43 33 84 44 55 55 55 55 55 55
0250: 00 00 00 40 00 00 00 00 aa aa aa aa bb bb 4c cc
0260: 8d dd ee ee ee ee ee ee 00 00 00 80 00 00 00 00
0540: 00 00 00 00 00 00 00 00 00 00 80 01 00 00 00 00
0550: 60 3e 00 00 00 00 00 00 00 10 00 00 00 00 00 00
0560: 01 00 00 00 00 00 00 00 00 00 80 00 00 00 00 00
0570: 60 7f 00 00 00 00 00 00 00 00 00 00 00 00 00 00`;

export const goldenVolumesHex = `0000: 54 4c 50 47 03 00 00 00 6f 1d 2c 3b 4a 59 46 87
0010: 97 85 a4 b3 c2 d1 e0 ff 05 00 00 00 00 00 00 00
0020: 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0030: 00 00 00 00 00 00 00 00 00 00 00 00 d8 3a a5 08
0040: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0080: 01 00 00 00 00 00 00 00 cc cc cc cc dd dd 4e ee
0090: 8f ff 00 00 00 00 00 01 00 00 40 06 00 00 00 00
00a0: 81 3b b1 6a 00 00 00 00 00 00 00 00 00 00 00 00
00b0: 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00
00c0: 05 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
00d0: 12 00 00 00 00 00 00 00 22 22 11 11 00 00 00 00
00e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0100: 04 64 61 74 61 00 00 00 00 00 00 00 00 00 00 00
0180: 02 00 00 00 03 00 00 00 cc cc cc cc dd dd 4e ee
0190: 8f ff 00 00 00 00 00 02 00 00 40 06 00 00 00 00
01a0: 81 3b b1 6a 00 00 00 00 01 00 00 00 00 00 00 00
01c0: 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
01d0: 13 00 00 00 00 00 00 00 44 44 33 33 00 00 00 00
01e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0200: 08 64 61 74 61 40 6d 6f 6e 00 00 00 00 00 00 00`;

export const goldenNodeHex = `0000: 54 4c 50 47 04 01 00 00 6f 1d 2c 3b 4a 59 46 87
0010: 97 85 a4 b3 c2 d1 e0 ff 05 00 00 00 00 00 00 00
0020: 12 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
0030: 00 00 00 00 00 00 00 00 00 00 00 00 e9 d2 fb bf
0040: 14 00 00 00 00 00 00 00 66 66 55 55 00 00 00 00
00a0: 15 00 00 00 00 00 00 00 88 88 77 77 00 00 00 00
00b0: 16 00 00 00 00 00 00 00 aa aa 99 99 00 00 00 00
00c0: 17 00 00 00 00 00 00 00 cc cc bb bb 00 00 00 00`;

export const goldenPointersHex = `0000: 54 4c 50 47 04 02 00 00 6f 1d 2c 3b 4a 59 46 87
0010: 97 85 a4 b3 c2 d1 e0 ff 04 00 00 00 00 00 00 00
0020: 13 00 00 00 00 00 00 00 01 00 00 00 03 00 00 00
0030: 00 00 00 00 00 00 00 00 00 00 00 00 74 b0 6e 97
0040: 12 00 00 00 00 00 00 00 22 22 11 11 00 00 00 00
0060: 00 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00`;

export const goldenJournalHex = `0000: 54 4c 4a 42 10 00 6c 02 6f 1d 2c 3b 4a 59 46 87
0010: 2a 00 00 00 00 00 00 00 03 00 00 00 ef be ad de
0030: 00 00 00 00 00 00 00 00 00 00 00 00 81 71 14 05
0040: 01 01 18 00 01 00 00 00 07 00 00 00 00 00 00 00
0050: 64 00 00 00 03 00 00 00 01 00 18 00 01 00 00 00
0060: e0 07 00 00 00 00 00 00 c8 00 00 00 01 00 00 00
0070: 02 00 1c 00 01 00 00 00 09 00 00 00 00 00 00 00
0080: c9 00 00 00 01 80 00 00 67 00 00 00 02 00 1c 00
0090: 01 00 00 00 0a 00 00 00 00 00 00 00 ca 00 00 00
00a0: 02 00 00 00 00 00 00 00 03 00 18 00 01 00 00 00
00b0: 00 00 00 00 00 00 00 00 40 06 00 00 00 00 00 00
00c0: 04 00 49 00 01 00 00 00 00 00 00 00 cc cc cc cc
00d0: dd dd 4e ee 8f ff 00 00 00 00 00 01 00 00 40 06
00e0: 00 00 00 00 81 3b b1 6a 00 00 00 00 00 00 00 00
00f0: 00 00 00 00 00 00 10 00 00 00 00 00 00 00 00 00
0100: 00 00 00 00 04 64 61 74 61 05 00 51 00 01 00 00
0110: 00 02 00 00 00 03 00 00 00 cc cc cc cc dd dd 4e
0120: ee 8f ff 00 00 00 00 00 02 00 00 40 06 00 00 00
0130: 00 81 3b b1 6a 00 00 00 00 01 00 00 00 00 00 00
0150: 00 08 64 61 74 61 40 6d 6f 6e 06 00 0c 00 01 00
0160: 00 00 02 00 00 00 07 00 10 00 01 00 00 00 00 00
0170: 80 0c 00 00 00 00 08 00 08 00 02 00 00 00 09 00
0180: 4d 00 01 00 00 00 00 00 00 00 cc cc cc cc dd dd
0190: 4e ee 8f ff 00 00 00 00 00 01 00 00 40 06 00 00
01a0: 00 00 81 3b b1 6a 00 00 00 00 00 00 00 00 00 00
01b0: 00 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00
01c0: 00 00 08 64 61 74 61 2d 6f 6c 64 0a 00 3c 00 aa
01d0: aa aa aa bb bb 4c cc 8d dd ee ee ee ee ee ee 00
01e0: 00 00 80 00 00 00 00 01 00 00 00 00 00 00 00 00
01f0: 00 80 00 00 00 00 00 60 7f 00 00 00 00 00 00 60
0200: 7f 00 00 00 00 00 00 0b 00 30 00 01 00 00 00 00
0210: 00 00 c0 00 00 00 00 01 00 00 00 00 00 00 00 00
0220: 00 e0 7f 00 00 00 00 00 40 00 00 00 00 00 00 00
0230: 00 00 00 00 00 00 00 0c 00 10 00 00 00 00 00 00
0240: 20 00 00 00 00 00 00 0d 00 59 00 00 00 00 00 00
0250: 00 04 40 00 00 00 00 00 00 e8 3f 00 00 00 00 00
0260: 00 ec 3f 00 00 00 00 00 00 00 00 00 00 00 00 00
0290: 00 00 00 02 00 00 00 00 00 00 00 04 74 61 6e 6b
02a0: 0e 00 0c 00 2b 00 00 00 00 00 00 00 00 00 00 00`;
