import { createHash } from "node:crypto";
import { assert } from "../util/assert.ts";
import { getUint8 } from "../util/bytes.ts";

/** Bytes of an NAA identifier of the locally assigned format. */
export const NAA_BYTES = 8;

/** NAA 3h: locally assigned, 60 bits that need no registration (SPC-4 7.8.6.6.4). */
const NAA_LOCALLY_ASSIGNED = 0x30;

/** T10 vendor identification, padded to its eight bytes in use. */
const VENDOR = "THINLUN";
const VENDOR_CHARS_MAX = 8;
const PRODUCT_CHARS_MAX = 16;
const REVISION_CHARS_MAX = 4;
/** UNIT SERIAL NUMBER; Linux and multipath keep identifiers of up to 252 characters, people fewer. */
const SERIAL_CHARS_MAX = 64;

/** Content of VPD page 83h at the most: its length field has 16 bits, and initiators read far less. */
const DESIGNATORS_BYTES_MAX = 1024;
const DESIGNATOR_HEADER_BYTES = 4;

/** What a logical unit tells of itself in INQUIRY. A contract: it never changes for a volume by itself. */
export interface UnitIdentity {
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
  readonly serial: string;
  /** The content of VPD page 80h: the serial number, and with it what surrounds it. */
  readonly serialField: Uint8Array;
  /** The eight bytes of the NAA identifier. */
  readonly naa: Uint8Array;
  /** The content of VPD page 83h, where it was set; null where it is made of the fields above. */
  readonly designators: Uint8Array | null;
}

/** What an operator may set of the identity; the rest has defaults that follow from the volume. */
export interface IdentityOptions {
  readonly vendor?: string;
  readonly product?: string;
  readonly revision?: string;
  readonly serial?: string;
  /** The content of VPD page 80h in place of the serial number, where it comes from elsewhere with blanks around it. */
  readonly serialField?: Uint8Array;
  /** The content of VPD page 83h: designation descriptors of the unit, in place of all that it would name. */
  readonly designators?: Uint8Array;
}

/** True where bytes are designation descriptors one after the other (SPC-4 7.8.6.1), and nothing else. */
function areDesignators(bytes: Uint8Array): boolean {
  let end = 0;
  while (end + DESIGNATOR_HEADER_BYTES <= bytes.length) {
    end += DESIGNATOR_HEADER_BYTES + getUint8(bytes, end + DESIGNATOR_HEADER_BYTES - 1);
  }
  return bytes.length > 0 && bytes.length <= DESIGNATORS_BYTES_MAX && end === bytes.length;
}

function printable(text: string, charsMax: number): boolean {
  return text.length > 0 && text.length <= charsMax && /^[\x20-\x7e]*$/.test(text);
}

/**
 * The identity of the logical unit that exports the volume of this UUID. NAA and the default serial number derive from
 * the UUID alone, so they outlive restarts, renames and moves. Options are checked where they enter; a string that
 * does not fit its field is a defect here.
 */
export function identityOf(volumeUuid: string, options: IdentityOptions): UnitIdentity {
  const identity = {
    vendor: options.vendor ?? VENDOR,
    product: options.product ?? "VOLUME",
    revision: options.revision ?? "0001",
    serial: options.serial ?? volumeUuid.replaceAll("-", ""),
  };
  assert(printable(identity.vendor, VENDOR_CHARS_MAX), "vendor identification fits its field");
  assert(printable(identity.product, PRODUCT_CHARS_MAX), "product identification fits its field");
  assert(printable(identity.revision, REVISION_CHARS_MAX), "product revision fits its field");
  assert(printable(identity.serial, SERIAL_CHARS_MAX), "serial number fits its field");
  const serialField = Uint8Array.from(
    options.serialField ?? Buffer.from(identity.serial, "latin1"),
  );
  assert(
    printable(Buffer.from(serialField).toString("latin1"), SERIAL_CHARS_MAX),
    "the page of the serial number holds text",
  );
  const { designators = null } = options;
  assert(designators === null || areDesignators(designators), "designators are well formed");
  // A digest, because some kinds of UUID keep most of their bits constant on one machine.
  const digest = createHash("sha256").update("thinlun naa ").update(volumeUuid).digest();
  const naa = Uint8Array.from(digest.subarray(0, NAA_BYTES));
  naa[0] = NAA_LOCALLY_ASSIGNED | (digest.readUInt8(0) & 0x0f);
  const copied = designators === null ? null : Uint8Array.from(designators);
  return { ...identity, serialField, naa, designators: copied };
}
