import type { BlockDevice } from "../../device/block-device.ts";
import { isFault } from "../format/fault.ts";
import { readSuperblockCopies } from "../format/superblock-io.ts";
import { CONTAINER_SIGNATURES } from "./container-signatures.ts";
import { FILE_SYSTEM_SIGNATURES } from "./file-system-signatures.ts";
import { DATA_TYPE, OWN_TYPE, type Finding } from "./finding.ts";
import { findMasterBootRecord, hasNonFileSystemTable } from "./master-boot-record.ts";
import { ProbeView } from "./probe-view.ts";
import { SECTOR_BYTES, type SignatureRow } from "./signature.ts";
import { findZfs } from "./zfs-labels.ts";

const ROWS: readonly { row: SignatureRow; magic: Buffer }[] = [
  ...FILE_SYSTEM_SIGNATURES,
  ...CONTAINER_SIGNATURES,
].map((row) => ({ row, magic: Buffer.from(row.magic, "latin1") }));

/** All places on a device of this size where a row's signature may begin. */
function placesOf(row: SignatureRow, sizeBytes: number): Set<number> {
  const end = sizeBytes - (sizeBytes % SECTOR_BYTES);
  const fromEnd = (row.fromEnd ?? []).map((distance) => end - distance);
  return new Set([...(row.at ?? []), ...fromEnd, ...(row.place?.(sizeBytes) ?? [])]);
}

function findRow(row: SignatureRow, magic: Buffer, view: ProbeView): Finding[] {
  const findings: Finding[] = [];
  for (const offsetBytes of placesOf(row, view.sizeBytes)) {
    if (!view.has(offsetBytes, magic)) continue;
    if (row.confirm?.(view, offsetBytes) === false) continue;
    findings.push({
      type: row.closerType?.(view, offsetBytes) ?? row.type,
      offsetBytes,
      uuid: row.uuid?.(view, offsetBytes) ?? null,
      label: row.label?.(view, offsetBytes) ?? null,
    });
  }
  return findings;
}

/** What is known by its signature, as far as the table and the functions beside it go. */
export function findInView(view: ProbeView): Finding[] {
  const byTable = ROWS.flatMap(({ row, magic }) => findRow(row, magic, view));
  return [...byTable, ...findZfs(view), ...findMasterBootRecord(view, byTable)];
}

/** Copies of our own superblock. A damaged one is a finding, too: it may be all that a repair has. */
async function findOwn(device: BlockDevice): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { offsetBytes, superblock } of await readSuperblockCopies(device)) {
    if (!isFault(superblock)) {
      const { poolUuid, poolName } = superblock;
      findings.push({ type: OWN_TYPE, offsetBytes, uuid: poolUuid, label: poolName });
    } else if (superblock.kind !== "absent") {
      findings.push({ type: OWN_TYPE, offsetBytes, uuid: null, label: null });
    }
  }
  return findings;
}

/**
 * Says what is on a device: every signature that is known, or, where none is and the head or tail is not all zeros, "data" at
 * the first byte that is none. Empty: nobody will miss anything.
 *
 * @throws {IoError} it cannot be read: then nobody knows
 */
export async function findSignatures(device: BlockDevice): Promise<Finding[]> {
  const view = await ProbeView.read(device);
  const own = await findOwn(device);
  // Whole disks of a pool have a partition table of ours, which only says that they are not empty.
  const hasOwnTable = own.length > 0 && hasNonFileSystemTable(view);
  const others = findInView(view).filter(({ type }) => !hasOwnTable || type !== "dos");
  const findings = [...own, ...others];
  const offsetBytes = findings.length === 0 ? view.firstNonZero() : -1;
  if (offsetBytes >= 0) {
    findings.push({ type: DATA_TYPE, offsetBytes, uuid: null, label: null });
  }
  return findings.toSorted((left, right) => left.offsetBytes - right.offsetBytes);
}
