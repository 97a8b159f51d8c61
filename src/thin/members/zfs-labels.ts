import type { Finding } from "./finding.ts";
import type { ProbeView } from "./probe-view.ts";
import { textAt } from "./signature.ts";

/**
 * ZFS has four labels of 256 KiB on a device, two at each end. None has a magic number of its own: the ring of uberblocks in
 * it has, and the list of name-value pairs begins in a way that nothing else does (the on-disk format of 2006).
 */

const KIB = 1024;
const LABEL_BYTES: number = 256 * KIB;
const PAIRS_AT: number = 16 * KIB;
const PAIRS_BYTES: number = 112 * KIB;
const RING_AT: number = 128 * KIB;
const RING_BYTES: number = 128 * KIB;
/** Slots are of this size or a multiple. */
const SLOT_BYTES = KIB;

const MAGIC_NUMBERS = ["\x0c\xb1\xba\x00\0\0\0\0", "\0\0\0\0\x00\xba\xb1\x0c"].map((magic) =>
  Buffer.from(magic, "latin1"),
);

/** XDR encoding, any byte order, version 0, unique names. */
const PAIRS_BEGINNINGS = [0, 1].map((endian) =>
  Buffer.from([1, endian, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
);

/** In XDR a name is padded to four bytes; type and count follow, then the value. */
const GUID_NAME = Buffer.from("\0\0\0\x09pool_guid\0\0\0", "latin1");
const POOL_NAME = Buffer.from("\0\0\0\x04name", "latin1");
const NAME_BYTES_MAX = 256;

function labelPlaces(sizeBytes: number): number[] {
  const end = sizeBytes - (sizeBytes % LABEL_BYTES);
  return [0, LABEL_BYTES, end - 2 * LABEL_BYTES, end - LABEL_BYTES];
}

function uberblockIn(view: ProbeView, label: number): number {
  for (let at = label + RING_AT; at < label + RING_AT + RING_BYTES; at += SLOT_BYTES) {
    if (MAGIC_NUMBERS.some((magic) => view.has(at, magic))) return at;
  }
  return -1;
}

/** The pool's number as ZFS prints it, in decimal digits. */
function poolGuid(view: ProbeView, label: number): string | null {
  const pairs = view.bytes(label + PAIRS_AT, PAIRS_BYTES);
  const at = pairs?.indexOf(GUID_NAME) ?? -1;
  const valueAt = at + GUID_NAME.length + 8;
  if (pairs === null || at < 0 || valueAt + 8 > pairs.length) return null;
  return pairs.readBigUInt64BE(valueAt).toString();
}

function poolName(view: ProbeView, label: number): string | null {
  const pairs = view.bytes(label + PAIRS_AT, PAIRS_BYTES);
  const at = pairs?.indexOf(POOL_NAME) ?? -1;
  if (at < 0) return null;
  // Type, count and the length of the text come before it.
  return textAt(PAIRS_AT + at + POOL_NAME.length + 12, NAME_BYTES_MAX)(view, label);
}

/** One finding for each label that is there. */
export function findZfs(view: ProbeView): Finding[] {
  const findings: Finding[] = [];
  for (const label of new Set(labelPlaces(view.sizeBytes))) {
    if (label < 0) continue;
    const uberblock = uberblockIn(view, label);
    const hasPairs = PAIRS_BEGINNINGS.some((beginning) => view.has(label + PAIRS_AT, beginning));
    if (uberblock < 0 && !hasPairs) continue;
    findings.push({
      type: "zfs_member",
      offsetBytes: uberblock < 0 ? label + PAIRS_AT : uberblock,
      uuid: poolGuid(view, label),
      label: poolName(view, label),
    });
  }
  return findings;
}
