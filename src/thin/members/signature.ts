import type { ProbeView } from "./probe-view.ts";

/** Reads something out of a view; `at` is where the signature was found. Null where it is not there or makes no sense. */
export type Extract = (view: ProbeView, at: number) => string | null;

/** One kind of signature, as data. */
export interface SignatureRow {
  readonly type: string;
  /** Its bytes, a character for each. */
  readonly magic: string;
  /** Where it may begin, from the start of the device. */
  readonly at?: readonly number[];
  /** Where it may begin, counted back from the end of the last whole 512-byte sector. */
  readonly fromEnd?: readonly number[];
  /** Where it may begin on a device of this size, for what neither of the two can say. */
  readonly place?: (sizeBytes: number) => readonly number[];
  /** Magic numbers of a few bytes are met by chance: more that has to hold. */
  readonly confirm?: (view: ProbeView, at: number) => boolean;
  /** A name closer than `type`. */
  readonly closerType?: Extract;
  readonly uuid?: Extract;
  readonly label?: Extract;
}

/** Linux counts the sizes of devices, and where tails begin, in these. */
export const SECTOR_BYTES = 512;

const ALL_ZEROS = /^[0-]*$/;

/** Groups hexadecimal digits as a UUID; null for zeros, which mean that none was given. */
function dashed(hex: string): string | null {
  if (ALL_ZEROS.test(hex)) return null;
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, index) => hex.slice(cuts[index], end))
    .join("-");
}

function hexAt(view: ProbeView, offset: number, order: readonly number[]): string | null {
  const bytes = view.bytes(offset, order.length);
  if (bytes === null) return null;
  return order.map((index) => bytes.subarray(index, index + 1).toString("hex")).join("");
}

const AS_STORED: readonly number[] = [...Array(16).keys()];
/** The first three fields of a GUID are little-endian (UEFI 2.10, appendix A). */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
/** VMFS prints its first two words little-endian and the third one, too. */
const VMFS_ORDER = [3, 2, 1, 0, 7, 6, 5, 4, 9, 8, 10, 11, 12, 13, 14, 15];
/** md 0.90 keeps four words in the order of the processor, here a little-endian one. */
const WORD_ORDER = [3, 2, 1, 0];

function uuidInOrder(order: readonly number[]): (delta: number) => Extract {
  return (delta) => (view, at) => {
    const hex = hexAt(view, at + delta, order);
    return hex === null ? null : dashed(hex);
  };
}

/** A UUID of 16 bytes, `delta` bytes from the signature. */
export const uuidAt: (delta: number) => Extract = uuidInOrder(AS_STORED);
export const guidAt: (delta: number) => Extract = uuidInOrder(GUID_ORDER);

export function vmfsUuidAt(delta: number): Extract {
  return (view, at) => {
    const hex = hexAt(view, at + delta, VMFS_ORDER);
    if (hex === null || ALL_ZEROS.test(hex)) return null;
    return `${hex.slice(0, 8)}-${hex.slice(8, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

/** The four words of md 0.90's array UUID: one apart from the others. */
export function md090Uuid(view: ProbeView, at: number): string | null {
  const words = [20, 52, 56, 60].map((delta) => hexAt(view, at + delta, WORD_ORDER));
  return words.includes(null) ? null : dashed(words.join(""));
}

/** A little-endian serial number of so many bytes in upper-case digits, with a dash in the middle where there are four. */
export function serialAt(delta: number, bytes: 4 | 8): Extract {
  const order = [...Array(bytes).keys()].toReversed();
  return (view, at) => {
    const hex = hexAt(view, at + delta, order)?.toUpperCase() ?? null;
    if (hex === null || ALL_ZEROS.test(hex)) return null;
    return bytes === 4 ? `${hex.slice(0, 4)}-${hex.slice(4)}` : hex;
  };
}

/** A word in hexadecimal digits, as a partition table's disk id or an array's number. */
export function wordAt(delta: number): Extract {
  return (view, at) => {
    const hex = hexAt(view, at + delta, WORD_ORDER);
    return hex === null || ALL_ZEROS.test(hex) ? null : hex;
  };
}

/** Text up to its first zero byte, without blanks around it; what is not printable is left out. */
export function textAt(delta: number, bytesMax: number): Extract {
  return (view, at) => {
    const bytes = view.bytes(at + delta, bytesMax);
    if (bytes === null) return null;
    const end = bytes.indexOf(0);
    const text = bytes.toString("utf8", 0, end < 0 ? bytesMax : end);
    // A label is printed into messages and logs: nothing that a terminal takes for a command.
    const printable = text.replace(/[\p{C}\ufffd]/gu, "").trim();
    return printable === "" ? null : printable;
  };
}

/** As {@link textAt}, in UTF-16, little-endian. */
export function wideTextAt(delta: number, bytesMax: number): Extract {
  return (view, at) => {
    const text =
      view
        .bytes(at + delta, bytesMax)
        ?.toString("utf16le")
        .split("\0")[0] ?? "";
    const printable = text.replace(/[\p{C}\ufffd]/gu, "").trim();
    return printable === "" ? null : printable;
  };
}

/** The same field wherever the signature was found. */
export function fromStart(extract: Extract): Extract {
  return (view) => extract(view, 0);
}

/** Identities that are kept as text: LUKS and Ceph with dashes, Stratis without. */
export function uuidTextAt(delta: number, bytes: number): Extract {
  const text = textAt(delta, bytes);
  return (view, at) => {
    const found = text(view, at)?.toLowerCase() ?? "";
    if (/^[0-9a-f]{32}$/.test(found)) return dashed(found);
    return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(found) ? found : null;
  };
}

/** LVM prints its 32 characters in groups of 6-4-4-4-4-4-6. */
export function lvmUuidAt(delta: number): Extract {
  const text = textAt(delta, 32);
  return (view, at) => {
    const groups = /^(\w{6})(\w{4})(\w{4})(\w{4})(\w{4})(\w{4})(\w{6})$/.exec(text(view, at) ?? "");
    return groups === null ? null : groups.slice(1).join("-");
  };
}
