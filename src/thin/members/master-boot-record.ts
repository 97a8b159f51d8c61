import type { Finding } from "./finding.ts";
import type { ProbeView } from "./probe-view.ts";
import { wordAt } from "./signature.ts";

/** The classic partition table at the start of a disk (UEFI 2.10, section 5.2). */

const SIGNATURE_AT = 0x1fe;
const DISK_ID_AT = 0x1b8;
const ENTRIES_AT = 0x1be;
const ENTRY_BYTES = 16;
const ENTRIES = 4;
const TYPE_IN_ENTRY = 4;

/** The whole disk belongs to a GUID partition table. */
const PROTECTIVE_TYPE = 0xee;
/** "Non-FS data": what a disk of ours says to those who know partition tables only. */
const NON_FS_TYPE = 0xda;

/** Boot sectors of file systems end in the same two bytes. */
const BOOT_SECTORS: ReadonlySet<string> = new Set(["vfat", "ntfs", "exfat", "BitLocker", "ReFS"]);

function partitionTypes(sector: Buffer): number[] {
  const types: number[] = [];
  for (let index = 0; index < ENTRIES; index += 1) {
    const type = sector.readUInt8(ENTRIES_AT + index * ENTRY_BYTES + TYPE_IN_ENTRY);
    if (type !== 0) types.push(type);
  }
  return types;
}

/** Whether all that it says is "here is something that is no file system": what this program puts on whole disks. */
export function hasNonFileSystemTable(view: ProbeView): boolean {
  const sector = view.bytes(0, SIGNATURE_AT + 2);
  const types = sector === null ? [] : partitionTypes(sector);
  return types.length === 1 && types[0] === NON_FS_TYPE;
}

/** A partition table in the first sector, unless that is the boot sector of one of the `known` file systems. */
export function findMasterBootRecord(view: ProbeView, known: readonly Finding[]): Finding[] {
  const sector = view.bytes(0, SIGNATURE_AT + 2);
  if (sector === null || sector.readUInt16LE(SIGNATURE_AT) !== 0xaa55) return [];
  if (known.some(({ type, offsetBytes }) => BOOT_SECTORS.has(type) && offsetBytes < 512)) return [];
  const type = partitionTypes(sector).includes(PROTECTIVE_TYPE) ? "PMBR" : "dos";
  return [{ type, offsetBytes: SIGNATURE_AT, uuid: wordAt(DISK_ID_AT)(view, 0), label: null }];
}
