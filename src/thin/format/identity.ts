import { assert } from "../../util/assert.ts";
import { isVisible } from "../../util/visible-text.ts";
import { NAME_BYTES_MAX } from "../limits.ts";

/** UUIDs and names as they are on disk. */

export const UUID_BYTES = 16;
/** A length byte, then the name in UTF-8, then zeros. */
export const NAME_FIELD_BYTES: number = 1 + NAME_BYTES_MAX;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Stands for "none" where a UUID may be missing. */
export const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** Whether this is a lower-case UUID, of any version, other than {@link NO_UUID}. */
export function isUuid(text: string): boolean {
  return UUID.test(text) && text !== NO_UUID;
}

// A pool's UUID is needed for every page and journal block: the last one is remembered in bytes.
let lastUuid = "";
let lastBytes: Uint8Array = new Uint8Array(UUID_BYTES);

/** The 16 bytes of a UUID, in the order of its text. Not to be changed by the caller. */
export function uuidBytes(uuid: string): Uint8Array {
  if (uuid === lastUuid) return lastBytes;
  assert(UUID.test(uuid), "a UUID has the form of one, in lower case");
  lastBytes = Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
  lastUuid = uuid;
  return lastBytes;
}

export function setUuid(bytes: Uint8Array, offset: number, uuid: string): void {
  bytes.set(uuidBytes(uuid), offset);
}

export function getUuid(bytes: Uint8Array, offset: number): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + offset, UUID_BYTES).toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return `${parts.join("-")}-${hex.slice(20)}`;
}

/** Whether the first `lengthBytes` of the UUID are at `offset`. */
export function hasUuid(
  bytes: Uint8Array,
  offset: number,
  uuid: string,
  lengthBytes: number = UUID_BYTES,
): boolean {
  const expected = uuidBytes(uuid);
  for (let index = 0; index < lengthBytes; index += 1) {
    if (bytes[offset + index] !== expected[index]) return false;
  }
  return true;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f/]/;

/**
 * Whether a volume or pool may be called so: 1 to 127 bytes of UTF-8 without control characters and slashes, not beginning with a
 * minus sign, which a command line would take for an option.
 */
export function isVolumeName(name: string): boolean {
  const encoded = Buffer.from(name, "utf8");
  if (encoded.length < 1 || encoded.length > NAME_BYTES_MAX) return false;
  // Half a surrogate pair does not survive the way to UTF-8 and back.
  return !FORBIDDEN.test(name) && !name.startsWith("-") && encoded.toString("utf8") === name;
}

/**
 * Whether a new volume or pool may be called so: {@link isVolumeName}, and nothing in it that cannot be seen, such as what turns the direction
 * of text. Names of this kind may be on disks all the same, and are read.
 */
export function isNewName(name: string): boolean {
  return isVolumeName(name) && isVisible(name);
}

/** Bytes that a name takes where its field is as long as the name. */
export function nameBytes(name: string): number {
  return 1 + Buffer.byteLength(name, "utf8");
}

/** Writes the length and the name; what follows is left alone. Returns the end. */
export function setName(bytes: Uint8Array, offset: number, name: string): number {
  assert(isVolumeName(name), "a name is checked before it is written");
  const encoded = Buffer.from(name, "utf8");
  bytes[offset] = encoded.length;
  bytes.set(encoded, offset + 1);
  return offset + 1 + encoded.length;
}

/** The name at `offset`, or null where none can be; the field ends at `end` at the latest. */
export function getName(bytes: Uint8Array, offset: number, end: number): string | null {
  const lengthBytes = offset < end ? (bytes[offset] ?? 0) : 0;
  const start = offset + 1;
  if (lengthBytes < 1 || lengthBytes > NAME_BYTES_MAX || start + lengthBytes > end) return null;
  const encoded = Buffer.from(bytes.buffer, bytes.byteOffset + start, lengthBytes);
  const name = encoded.toString("utf8");
  // Bytes that are no UTF-8 decode to replacement characters, which encode to other bytes.
  return isVolumeName(name) && Buffer.from(name, "utf8").equals(encoded) ? name : null;
}

export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}
