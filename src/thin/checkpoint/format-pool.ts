import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { flush, writeBytes, writeZeroes } from "../../util/io-request.ts";
import type { RandomBytes } from "../../util/random.ts";
import { BLOCK_BYTES, isExtentSize } from "../format/geometry.ts";
import { isUuid, isVolumeName } from "../format/identity.ts";
import {
  HEAD_BYTES,
  HEARTBEAT_OFFSET,
  JOURNAL_OFFSET_BYTES,
  SUPERBLOCK_OFFSETS,
  TAIL_BYTES,
  tailOffsets,
} from "../format/layout.ts";
import { PageKind, sealPage } from "../format/page.ts";
import { NO_POINTER, type PagePointer } from "../format/pointer.ts";
import type { PoolDevice, PoolSettings, Segment } from "../format/records.ts";
import { encodeRoot } from "../format/root.ts";
import { writeSuperblock } from "../format/superblock-io.ts";
import { KNOWN_FEATURES, type Superblock } from "../format/superblock.ts";
import {
  DEVICE_BYTES_MIN,
  DEVICES_MAX,
  EXTENTS_MAX,
  JOURNAL_BYTES_MAX,
  JOURNAL_BYTES_MIN,
} from "../limits.ts";
import { PoolError } from "../pool-error.ts";
import type { OwnerIdentity } from "./owner.ts";
import { ROOT_BLOCKS } from "./root-place.ts";
import { defaultJournalBytes, planSegment, usableBytes } from "./segment-plan.ts";

export interface FormatDevice {
  readonly device: BlockDevice;
  /** It reads as zeros on stable media where nothing was written: a file that was made just now. */
  readonly isZero: boolean;
}

export interface FormatOptions {
  /** Lower-case UUID of the pool. */
  readonly uuid: string;
  readonly extentBytes: number;
  /** A multiple of 4 KiB. */
  readonly journalBytes?: number;
  /** The name among them. */
  readonly settings: PoolSettings;
  /** For the UUIDs of the devices. */
  readonly randomBytes: RandomBytes;
  readonly owner: OwnerIdentity;
}

interface Plan {
  readonly devices: readonly PoolDevice[];
  readonly segments: readonly Segment[];
  readonly journalBytes: number;
}

const FIRST_GENERATION = 1;
const FIRST_EPOCH = 1;

/** Large enough for disks, small enough for memory. */
const FILL_PIECE_BYTES = 1024 * 1024;

const [ROOT_BLOCK = 1] = ROOT_BLOCKS;

/**
 * Makes an empty pool, whatever was on the devices. The first one gets the journal and the superblock; that is written last, so that
 * what a crash leaves is no pool.
 *
 * @throws {PoolError} invalid: what is asked for makes no pool; io: a device did not take it
 */
export async function formatPool(
  devices: readonly FormatDevice[],
  options: FormatOptions,
): Promise<void> {
  const plan = planPool(devices, options);
  try {
    await writePool(devices, options, plan);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    throw new PoolError("io", `the pool could not be made: ${error.message}`, error);
  }
}

/** Whether that makes a pool, before anything is written for it. Errors: invalid. */
export function checkFormat(devices: readonly FormatDevice[], options: FormatOptions): void {
  planPool(devices, options);
}

function planPool(devices: readonly FormatDevice[], options: FormatOptions): Plan {
  const { extentBytes, settings, uuid } = options;
  check(
    devices.length >= 1 && devices.length <= DEVICES_MAX,
    `a pool has 1 to ${DEVICES_MAX} devices`,
  );
  check(isUuid(uuid), `"${uuid}" is no UUID in lower case`);
  check(isVolumeName(settings.name), `"${settings.name}" is no name for a pool`);
  check(isExtentSize(extentBytes), "an extent is a power of two, 16 KiB to 1 MiB");
  const first = devices[0]?.device;
  assert(first !== undefined, "there is a device");
  const journalBytes = options.journalBytes ?? defaultJournalBytes(first.capacityBytes);
  check(
    journalBytes >= JOURNAL_BYTES_MIN &&
      journalBytes <= JOURNAL_BYTES_MAX &&
      journalBytes % BLOCK_BYTES === 0,
    "a journal is 1 MiB to 4 GiB, in whole blocks of 4 KiB",
  );
  const segments: Segment[] = [];
  const members: PoolDevice[] = [];
  for (const [index, { device, isZero }] of devices.entries()) {
    const { capacityBytes: sizeBytes } = device;
    const journal = index === 0 ? journalBytes : 0;
    const request = { device: index, sizeBytes, journalBytes: journal, extentBytes, isZero };
    check(
      usableBytes(sizeBytes) >= DEVICE_BYTES_MIN,
      `${device.name} is too small: ${DEVICE_BYTES_MIN} bytes at least`,
    );
    const segment = planSegment(request);
    if (segment === null) throw new PoolError("invalid", `${device.name} is too small for a pool`);
    segments.push(segment);
    members.push({ uuid: newUuid(options.randomBytes), sizeBytes: usableBytes(sizeBytes) });
  }
  const extents = segments.reduce((sum, segment) => sum + segment.extents, 0);
  check(
    extents <= EXTENTS_MAX,
    "the devices have more extents than a pool can; use larger extents",
  );
  return { devices: members, segments, journalBytes };
}

function check(isFine: boolean, message: string): void {
  if (!isFine) throw new PoolError("invalid", message);
}

/** A random UUID (RFC 9562, version 4). */
function newUuid(randomBytes: RandomBytes): string {
  const bytes = Buffer.from(randomBytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function writePool(
  devices: readonly FormatDevice[],
  options: FormatOptions,
  plan: Plan,
): Promise<void> {
  for (const [index, { device }] of devices.entries()) {
    const end = plan.devices[index]?.sizeBytes ?? 0;
    await writeZeroes(device, 0, HEAD_BYTES);
    await writeZeroes(device, end - TAIL_BYTES, TAIL_BYTES);
    for (const offset of [...SUPERBLOCK_OFFSETS, HEARTBEAT_OFFSET, ...tailOffsets(end)]) {
      await fillWithZeroes(device, offset, BLOCK_BYTES);
    }
  }
  const head = devices[0]?.device;
  assert(head !== undefined, "there is a device");
  // Root pages lie in extent 0.
  const extentsBytes = plan.segments[0]?.offsetBytes ?? 0;
  const rootsEndBytes = extentsBytes + options.extentBytes;
  await fillWithZeroes(head, JOURNAL_OFFSET_BYTES, rootsEndBytes - JOURNAL_OFFSET_BYTES);
  const root = await writeRoot(head, options, plan);
  const labels = devices.map((_, index) => superblockOf(index, NO_POINTER, options, plan));
  for (const [index, { device }] of devices.entries()) {
    const label = labels[index];
    if (index > 0 && label !== undefined) await writeSuperblock(device, label);
  }
  for (const { device } of devices) await flush(device);
  await writeSuperblock(head, superblockOf(0, root, options, plan));
  await flush(head);
}

/**
 * Writes zeros also where there are some: a sparse file has the space then. A journal, a root or a superblock that finds none later
 * stops the pool.
 */
async function fillWithZeroes(
  device: BlockDevice,
  offsetBytes: number,
  lengthBytes: number,
): Promise<void> {
  const endBytes = offsetBytes + lengthBytes;
  const zeroes = new Uint8Array(Math.min(lengthBytes, FILL_PIECE_BYTES));
  for (let at = offsetBytes; at < endBytes; at += zeroes.length) {
    await writeBytes(device, at, zeroes.subarray(0, endBytes - at));
  }
}

async function writeRoot(
  head: BlockDevice,
  { uuid, settings }: FormatOptions,
  { devices, segments }: Plan,
): Promise<PagePointer> {
  const page = new Uint8Array(BLOCK_BYTES);
  encodeRoot(page, {
    checkpointSeq: 0,
    nextVolumeId: 1,
    volumeCount: 0,
    devices,
    segments,
    settings,
    directories: [],
  });
  const crc = sealPage(page, uuid, {
    kind: PageKind.root,
    level: 0,
    volume: 0,
    index: 0,
    block: ROOT_BLOCK,
    generation: FIRST_GENERATION,
  });
  const extents = segments[0]?.offsetBytes ?? 0;
  await writeBytes(head, extents + ROOT_BLOCK * BLOCK_BYTES, page);
  return { block: ROOT_BLOCK, crc };
}

function superblockOf(
  index: number,
  root: PagePointer,
  options: FormatOptions,
  { devices, journalBytes }: Plan,
): Superblock {
  const own = devices[index];
  assert(own !== undefined, "a superblock is of a device");
  return {
    features: KNOWN_FEATURES,
    poolUuid: options.uuid,
    deviceUuid: own.uuid,
    deviceIndex: index,
    devices,
    extentBytes: options.extentBytes,
    needsCheck: false,
    readOnly: false,
    clean: true,
    generation: FIRST_GENERATION,
    epoch: FIRST_EPOCH,
    root,
    checkpointSeq: 0,
    journal: { offsetBytes: JOURNAL_OFFSET_BYTES, blocks: journalBytes / BLOCK_BYTES },
    owner: { ...options.owner, state: "clean" },
    poolName: options.settings.name,
  };
}
