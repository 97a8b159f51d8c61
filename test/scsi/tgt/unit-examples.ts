import {
  defaultScsiId,
  defaultScsiSn,
  designators,
  PRODUCT_DEFAULTS,
  REVISION_DEFAULT,
  serialNumberField,
  VENDOR_DEFAULT,
} from "../../../src/control/tgt/show/identity.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { controllerUnit } from "../../../src/scsi/controller-unit.ts";
import type { IdentityOptions } from "../../../src/scsi/identity.ts";
import { LogicalUnit, type BlockBytes } from "../../../src/scsi/logical-unit.ts";
import type { UnitSettings } from "../../../src/scsi/unit-settings.ts";
import { DeviceVolume } from "../../../src/volume/device-volume.ts";

export const DISK_BYTES = 1024 * 1024;

/** A unit of tgt's, and the same one here. */
export interface UnitExample {
  readonly tid: number;
  readonly lun: number;
  readonly controller?: boolean;
  readonly blockBytes?: BlockBytes;
  /** What tgtadm is told after it was made, one after the other. */
  readonly parameters?: readonly string[];
  readonly names?: Partial<Record<"vendor" | "product" | "revision" | "scsiId" | "scsiSn", string>>;
  /** What differs from {@link TGT_SETTINGS}. */
  readonly settings?: Partial<UnitSettings>;
}

/** What tgt's disks are like until somebody changes it. */
const TGT_SETTINGS: Partial<UnitSettings> = {
  thinProvisioning: false,
  physicalBlockExponent: 3,
  optimalGranularityBlocks: 0,
  optimalTransferBlocks: 0,
  rotationRate: 0,
};

const CINDER = "volume-83c2e877-feed-46be-8435-77884";

export const UNIT_EXAMPLES: readonly UnitExample[] = [
  { tid: 1, lun: 0, controller: true },
  { tid: 1, lun: 1 },
  {
    tid: 1,
    lun: 2,
    parameters: [
      `scsi_id=${CINDER}`,
      `scsi_sn=${CINDER}`,
      "vendor_id=ACME",
      "product_id=Disk 7",
      "product_rev=9",
      "removable=1",
      "lbppbe=15",
      "la_lba=16383",
      "optimal_xfer_gran=8",
      "optimal_xfer_len=128",
      "rotation_rate=7200",
      "thin_provisioning=1",
    ],
    names: { vendor: "ACME", product: "Disk 7", revision: "9", scsiId: CINDER, scsiSn: CINDER },
    settings: {
      removable: true,
      physicalBlockExponent: 15,
      lowestAlignedLba: 16_383,
      optimalGranularityBlocks: 8,
      optimalTransferBlocks: 128,
      rotationRate: 7200,
      thinProvisioning: true,
    },
  },
  { tid: 1, lun: 3, parameters: ["readonly=1"], settings: { readOnly: true } },
  {
    tid: 1,
    lun: 4,
    parameters: [
      "sense_format=1",
      "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0",
    ],
    settings: { descriptorSense: true, writeCache: false },
  },
  { tid: 1, lun: 5, parameters: ["online=0"], settings: { online: false } },
  {
    tid: 1,
    lun: 300,
    blockBytes: 4096,
    parameters: ["lbppbe=0", "rotation_rate=1"],
    settings: { physicalBlockExponent: 0, rotationRate: 1 },
  },
  { tid: 70_000, lun: 0, controller: true },
  { tid: 70_000, lun: 1, parameters: ["scsi_id=f"], names: { scsiId: "f" } },
];

/** The unit as it is made here. */
export function unitOf(example: UnitExample): LogicalUnit {
  const { tid, lun, controller = false, blockBytes = 512, names = {}, settings = {} } = example;
  const scsiId = names.scsiId ?? defaultScsiId(tid, lun);
  const scsiSn = names.scsiSn ?? defaultScsiSn(tid, lun);
  const nowMs = (): number => 0;
  const identity: IdentityOptions = {
    vendor: names.vendor ?? VENDOR_DEFAULT,
    product: names.product ?? PRODUCT_DEFAULTS[controller ? "controller" : "disk"],
    revision: names.revision ?? REVISION_DEFAULT,
    serial: scsiSn,
    serialField: serialNumberField(scsiSn),
    designators: designators(tid, lun, scsiId),
  };
  if (controller) return controllerUnit({ ...identity, target: `${tid}`, nowMs });
  const device = new MemoryDevice(DISK_BYTES);
  const uuid = "00000000-0000-4000-8000-000000000001";
  const volume = new DeviceVolume({ uuid, name: "disk", device, thin: true, persistent: false });
  const all = { ...TGT_SETTINGS, ...settings };
  return new LogicalUnit({ ...identity, volume, blockBytes, settings: all, nowMs });
}

/** A command whose answer is recorded, and what of it is the same here; the rest follows other editions of the standards. */
export interface Question {
  readonly name: string;
  /** In hexadecimal; spaces are for the eye. */
  readonly cdb: string;
  readonly inBytes?: number;
  readonly outBytes?: number;
  /** Bytes from and up to, not including; the status and the sense are the same in any case. */
  readonly same: readonly (readonly [number, number])[];
}

const WHOLE = [[0, 1024]] as const;

/** Identity, and what a unit is: what hosts derive names from. */
const EVERY_UNIT: readonly Question[] = [
  // Type, RMB, and the names; not the edition of SPC, nor the length, which differ.
  {
    name: "INQUIRY",
    cdb: "12 00 00 00ff 00",
    same: [
      [0, 2],
      [6, 36],
    ],
  },
  { name: "page 80h", cdb: "12 01 80 00ff 00", same: WHOLE },
  { name: "page 83h", cdb: "12 01 83 00ff 00", same: WHOLE },
  { name: "page C0h", cdb: "12 01 c0 00ff 00", same: WHOLE },
  { name: "command FFh", cdb: "ff 00 00 0000 00", same: WHOLE },
  { name: "TEST UNIT READY", cdb: "00 00 000000 00", inBytes: 0, same: WHOLE },
];

const CONTROLLER: readonly Question[] = [
  ...EVERY_UNIT,
  { name: "REQUEST SENSE", cdb: "03 00 0000 ff 00", same: WHOLE },
  { name: "MODE SENSE (6)", cdb: "1a 08 3f 00 ff 00", same: WHOLE },
  { name: "READ CAPACITY (10)", cdb: "25 00 00000000 0000 00 00", same: WHOLE },
  { name: "READ CAPACITY (16)", cdb: "9e 10 0000000000000000 00000020 00 00", same: WHOLE },
  { name: "READ (10)", cdb: "28 00 00000000 00 0001 00", same: WHOLE },
  { name: "WRITE (10)", cdb: "2a 00 00000000 00 0001 00", outBytes: 512, same: WHOLE },
  { name: "START STOP UNIT", cdb: "1b 00 00 00 01 00", inBytes: 0, same: WHOLE },
  { name: "SYNCHRONIZE CACHE (10)", cdb: "35 00 00000000 00 0000 00", inBytes: 0, same: WHOLE },
];

const DISK: readonly Question[] = [
  ...EVERY_UNIT,
  // OPTIMAL TRANSFER LENGTH GRANULARITY, OPTIMAL TRANSFER LENGTH
  {
    name: "page B0h",
    cdb: "12 01 b0 00ff 00",
    same: [
      [0, 4],
      [6, 8],
      [12, 16],
    ],
  },
  // MEDIUM ROTATION RATE; the page has 64 bytes, and tgt counts its header twice.
  {
    name: "page B1h",
    cdb: "12 01 b1 00ff 00",
    same: [
      [0, 2],
      [4, 64],
    ],
  },
  { name: "page B2h", cdb: "12 01 b2 00ff 00", same: WHOLE },
  // WP and DPOFUA
  { name: "MODE SENSE (6)", cdb: "1a 08 3f 00 ff 00", same: [[1, 4]] },
  // WCE is the third bit of the third byte; what else tgt has in there cannot be changed.
  { name: "caching page", cdb: "1a 08 08 00 ff 00", same: [[0, 6]] },
];

/** Commands on the medium, for units that are online: tgt refuses none of them where a unit is offline. */
const MEDIUM: readonly Question[] = [
  { name: "READ CAPACITY (10)", cdb: "25 00 00000000 0000 00 00", same: WHOLE },
  // LBPRZ comes with LBPME here, as it is true.
  { name: "READ CAPACITY (16)", cdb: "9e 10 0000000000000000 00000020 00 00", same: WHOLE },
  { name: "WRITE (10)", cdb: "2a 00 00000000 00 0000 00", outBytes: 0, same: WHOLE },
];

export function questionsFor({ controller = false, settings = {} }: UnitExample): Question[] {
  if (controller) return [...CONTROLLER];
  return settings.online === false ? [...DISK] : [...DISK, ...MEDIUM];
}
