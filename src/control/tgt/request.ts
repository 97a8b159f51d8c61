import { getUint32LE, setUint32LE } from "../../util/little-endian.ts";
import { checkLayout, type Field } from "../../thin/format/layout.ts";

/**
 * The fixed part of a request of tgt's management protocol: struct tgtadm_req as x86-64 and arm64 lay it out, in the
 * processor's byte order, which is little-endian wherever this runs. Text of `len - 120` bytes follows. Captured from
 * tgtadm 1.0.85; offsets and lengths in bytes.
 */
const FIELDS = {
  mode: [0, 4],
  operation: [4, 4],
  driver: [8, 64],
  length: [72, 4],
  targetId: [76, 4],
  sessionId: [80, 8],
  lun: [88, 8],
  connectionId: [96, 4],
  hostNumber: [100, 4],
  deviceType: [104, 4],
  accountDirection: [108, 4],
  pack: [112, 4],
  force: [116, 4],
} as const satisfies Readonly<Record<string, Field>>;

export const REQUEST_HEADER_BYTES = 120;
checkLayout("tgtadm_req", FIELDS, REQUEST_HEADER_BYTES);

/** More text than this makes tgtd drop the connection: it reads 8 KiB and no more. */
export const REQUEST_TEXT_BYTES_MAX = 8192;

/** Modes in the order of their numbers, 0 first. */
export const MODES = [
  "system",
  "target",
  "logicalunit",
  "portal",
  "lld",
  "session",
  "connection",
  "account",
] as const;
export type TgtMode = (typeof MODES)[number];

/** SCSI device types by tgtadm's words; 255 is passthrough. */
export const DEVICE_TYPES: ReadonlyMap<string, number> = new Map([
  ["disk", 0],
  ["tape", 1],
  ["ssc", 1],
  ["cd", 5],
  ["changer", 8],
  ["osd", 17],
  ["pt", 255],
]);

/** Operations in the order of their numbers, 0 first. */
export const OPERATIONS = [
  "new",
  "delete",
  "show",
  "bind",
  "unbind",
  "update",
  "stat",
  "start",
  "stop",
] as const;
export type TgtOperation = (typeof OPERATIONS)[number];

/** The target number of a request that names none: all targets, or the accounts of discovery. */
export const NO_TARGET_ID = -1;
/** The logical unit number of a request that names none. */
export const NO_LUN = 0xffff_ffff_ffff_ffffn;

/** A request as it came. Numbers are not checked for what they mean: tgt-command.ts does that. */
export interface TgtRequest {
  /** An index of {@link MODES}, or any other 32-bit number. */
  readonly mode: number;
  /** An index of {@link OPERATIONS}, or any other 32-bit number. */
  readonly operation: number;
  /** Up to the first NUL, one character a byte; empty: the first driver. 64 characters: it had no NUL. */
  readonly driver: string;
  /** Signed; {@link NO_TARGET_ID} where none was named. */
  readonly targetId: number;
  readonly sessionId: bigint;
  readonly lun: bigint;
  readonly connectionId: number;
  readonly hostNumber: number;
  readonly deviceType: number;
  /** 0 incoming, anything else outgoing. */
  readonly accountDirection: number;
  readonly pack: number;
  readonly force: number;
  /** Up to the first NUL, one character a byte; undefined where no byte follows the header. */
  readonly text: string | undefined;
}

/**
 * Why bytes are no request. tgtd answers none of these and closes the connection.
 * `incomplete`: fewer bytes than the header, or than the header says.
 */
export type RequestFault = "incomplete" | "length-too-small" | "text-too-long";

/**
 * How many bytes a request has, header included.
 * @param header at least the first {@link REQUEST_HEADER_BYTES} bytes; fewer are `incomplete`
 */
export function requestBytes(header: Uint8Array): number | RequestFault {
  if (header.length < REQUEST_HEADER_BYTES) return "incomplete";
  const length = getUint32LE(header, FIELDS.length[0]);
  if (length < REQUEST_HEADER_BYTES) return "length-too-small";
  if (length > REQUEST_HEADER_BYTES + REQUEST_TEXT_BYTES_MAX) return "text-too-long";
  return length;
}

/** Reads one request from the beginning of `bytes`. What follows it is not looked at. */
export function decodeRequest(bytes: Uint8Array): TgtRequest | RequestFault {
  const length = requestBytes(bytes);
  if (typeof length === "string") return length;
  if (bytes.length < length) return "incomplete";
  const number = (field: Field): number => getUint32LE(bytes, field[0]);
  return {
    mode: number(FIELDS.mode),
    operation: number(FIELDS.operation),
    driver: getText(bytes, FIELDS.driver[0], FIELDS.driver[1]),
    targetId: number(FIELDS.targetId) | 0,
    sessionId: getLong(bytes, FIELDS.sessionId[0]),
    lun: getLong(bytes, FIELDS.lun[0]),
    connectionId: number(FIELDS.connectionId),
    hostNumber: number(FIELDS.hostNumber),
    deviceType: number(FIELDS.deviceType),
    accountDirection: number(FIELDS.accountDirection),
    pack: number(FIELDS.pack),
    force: number(FIELDS.force),
    text:
      length === REQUEST_HEADER_BYTES
        ? undefined
        : getText(bytes, REQUEST_HEADER_BYTES, length - REQUEST_HEADER_BYTES),
  };
}

/**
 * The bytes that tgtadm sends for a request: the text ends with a NUL.
 * @throws RangeError where the driver or the text has no room
 */
export function encodeRequest(request: TgtRequest): Uint8Array {
  const text = request.text === undefined ? Buffer.alloc(0) : terminated(request.text);
  if (text.length > REQUEST_TEXT_BYTES_MAX) throw new RangeError("the text has no room");
  const bytes = new Uint8Array(REQUEST_HEADER_BYTES + text.length);
  const put = (field: Field, value: number): void => setUint32LE(bytes, field[0], value);
  put(FIELDS.mode, request.mode);
  put(FIELDS.operation, request.operation);
  if (request.driver.length > FIELDS.driver[1]) throw new RangeError("the driver has no room");
  bytes.set(Buffer.from(request.driver, "latin1"), FIELDS.driver[0]);
  put(FIELDS.length, bytes.length);
  put(FIELDS.targetId, request.targetId);
  setLong(bytes, FIELDS.sessionId[0], request.sessionId);
  setLong(bytes, FIELDS.lun[0], request.lun);
  put(FIELDS.connectionId, request.connectionId);
  put(FIELDS.hostNumber, request.hostNumber);
  put(FIELDS.deviceType, request.deviceType);
  put(FIELDS.accountDirection, request.accountDirection);
  put(FIELDS.pack, request.pack);
  put(FIELDS.force, request.force);
  bytes.set(text, REQUEST_HEADER_BYTES);
  return bytes;
}

function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`, "latin1");
}

function getText(bytes: Uint8Array, offset: number, lengthBytes: number): string {
  const field = Buffer.from(bytes.buffer, bytes.byteOffset + offset, lengthBytes);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? lengthBytes : end);
}

/** Session and logical unit numbers use all 64 bits; requests of management are few. */
function getLong(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(getUint32LE(bytes, offset + 4)) << 32n) | BigInt(getUint32LE(bytes, offset));
}

function setLong(bytes: Uint8Array, offset: number, value: bigint): void {
  setUint32LE(bytes, offset, Number(value & 0xffff_ffffn));
  setUint32LE(bytes, offset + 4, Number(value >> 32n));
}
