import { crc32c } from "../../../../native-free/crc32c.ts";
import { assert } from "../../../util/assert.ts";
import { getUint32BE, getUint8, setUint32BE, setUint8 } from "../../../util/bytes.ts";
import { getUint32LE, setUint32LE } from "../../../util/little-endian.ts";
import { bytesOf } from "../byte-words.ts";

/**
 * A tape image as tgt's tape device has it: a header that begins the tape, the medium's attributes (MAM), then a header
 * before each block, the last of which is the end of data. Big-endian but for the checksum. Captured from tgtimg 1.0.85;
 * offsets and lengths in bytes.
 */

type Field = readonly [offset: number, lengthBytes: number];

/** The header of a block. */
const HEADER = {
  /** CRC32C of the rest of the header, least significant byte first. */
  checksum: [0, 4],
  /** Bytes of the block that follow in the file. */
  storedBytes: [4, 4],
  /** Bytes of the block; of the tape in MiB where it begins. */
  blockSize: [8, 4],
  type: [12, 4],
  number: [16, 8],
  /** Offsets of headers in the file: of the one before, of this and of the next. */
  previous: [24, 8],
  current: [32, 8],
  next: [40, 8],
} as const satisfies Readonly<Record<string, Field>>;

export const TAPE_HEADER_BYTES = 48;

/** The attributes; what is not named is zero. */
const ATTRIBUTES = {
  version: [0, 4],
  reserved0: [4, 4],
  remainingCapacity: [8, 8],
  maximumCapacity: [16, 8],
  reserved1: [24, 16],
  /** Bytes of attributes that there is room for. */
  remainingRoom: [40, 8],
  reserved2: [48, 208],
  manufacturer: [256, 8],
  serialNumber: [264, 32],
  /** Meters and tenths of a millimeter. */
  length: [296, 4],
  width: [300, 4],
  reserved3: [304, 32],
  mediumType: [336, 1],
  reserved4: [337, 2],
  mediumTypeInformation: [339, 1],
  reserved5: [340, 4],
  vendor: [344, 8],
  reserved6: [352, 216],
  barcode: [568, 32],
  reserved7: [600, 504],
} as const satisfies Readonly<Record<string, Field>>;

export const TAPE_ATTRIBUTES_BYTES = 1104;
/** Where the first block's header is. */
export const TAPE_DATA_OFFSET: number = TAPE_HEADER_BYTES + TAPE_ATTRIBUTES_BYTES;

checkTiles(HEADER, TAPE_HEADER_BYTES);
checkTiles(ATTRIBUTES, TAPE_ATTRIBUTES_BYTES);

function checkTiles(fields: Readonly<Record<string, Field>>, lengthBytes: number): void {
  let end = 0;
  for (const [offset, fieldBytes] of Object.values(fields)) {
    assert(offset === end, "fields of a tape image follow each other");
    end = offset + fieldBytes;
  }
  assert(end === lengthBytes, "fields of a tape image fill it");
}

/** The one version there is. */
export const TAPE_VERSION = 2;

export const TapeBlock = {
  none: 0,
  data: 2,
  beginning: 0x10,
  end: 0x20,
  filemark: 0x40,
} as const;

export const TapeMedium = { data: 1, clean: 2, worm: 4 } as const;

/** Times that a cleaning tape can be used. */
const CLEANINGS = 20;
const LENGTH = 384;
const WIDTH = 127;
const ATTRIBUTE_ROOM = 256n;
const MIB = 1024n * 1024n;

/** Room for the barcode, an underscore, the seconds of the time and a NUL. */
export const BARCODE_BYTES_MAX = 20;

export interface TapeHeader {
  readonly storedBytes: number;
  readonly blockSize: number;
  readonly type: number;
  readonly number: bigint;
  readonly previous: bigint;
  readonly current: bigint;
  readonly next: bigint;
}

export function encodeHeader(header: TapeHeader): Uint8Array {
  const bytes = new Uint8Array(TAPE_HEADER_BYTES);
  setUint32BE(bytes, HEADER.storedBytes[0], header.storedBytes);
  setUint32BE(bytes, HEADER.blockSize[0], header.blockSize);
  setUint32BE(bytes, HEADER.type[0], header.type);
  setLong(bytes, HEADER.number[0], header.number);
  setLong(bytes, HEADER.previous[0], header.previous);
  setLong(bytes, HEADER.current[0], header.current);
  setLong(bytes, HEADER.next[0], header.next);
  setUint32LE(bytes, HEADER.checksum[0], checksumOf(bytes));
  return bytes;
}

/** Reads a header of {@link TAPE_HEADER_BYTES}; whether its checksum is right is for {@link isHeaderWhole}. */
export function decodeHeader(bytes: Uint8Array): TapeHeader {
  return {
    storedBytes: getUint32BE(bytes, HEADER.storedBytes[0]),
    blockSize: getUint32BE(bytes, HEADER.blockSize[0]),
    type: getUint32BE(bytes, HEADER.type[0]),
    number: getLong(bytes, HEADER.number[0]),
    previous: getLong(bytes, HEADER.previous[0]),
    current: getLong(bytes, HEADER.current[0]),
    next: getLong(bytes, HEADER.next[0]),
  };
}

export function isHeaderWhole(bytes: Uint8Array): boolean {
  return getUint32LE(bytes, HEADER.checksum[0]) === checksumOf(bytes);
}

function checksumOf(bytes: Uint8Array): number {
  return crc32c(bytes, HEADER.storedBytes[0], TAPE_HEADER_BYTES);
}

export interface TapeAttributes {
  readonly version: number;
  readonly mediumType: number;
  /** Texts have one character a byte, and end at a NUL. */
  readonly serialNumber: string;
  readonly barcode: string;
}

/**
 * The attributes of a new tape.
 * @param barcode at most {@link BARCODE_BYTES_MAX} characters
 * @param sizeMib modulo 2^64, as tgtimg counts
 * @param seconds the time, which the serial number has in it
 */
export function encodeAttributes(
  mediumType: number,
  barcode: string,
  sizeMib: bigint,
  seconds: number,
): Uint8Array {
  const bytes = new Uint8Array(TAPE_ATTRIBUTES_BYTES);
  const put = ([offset, lengthBytes]: Field, text: string): void => {
    assert(text.length <= lengthBytes, "a text has room among the attributes of a tape");
    bytes.set(bytesOf(text), offset);
  };
  setUint32BE(bytes, ATTRIBUTES.version[0], TAPE_VERSION);
  setLong(bytes, ATTRIBUTES.remainingCapacity[0], BigInt.asUintN(64, sizeMib * MIB));
  setLong(bytes, ATTRIBUTES.maximumCapacity[0], BigInt.asUintN(64, sizeMib * MIB));
  setLong(bytes, ATTRIBUTES.remainingRoom[0], ATTRIBUTE_ROOM);
  put(ATTRIBUTES.manufacturer, "Foo     ");
  put(ATTRIBUTES.serialNumber, `${barcode}_${seconds}`);
  setUint32BE(bytes, ATTRIBUTES.length[0], LENGTH);
  setUint32BE(bytes, ATTRIBUTES.width[0], WIDTH);
  setUint8(bytes, ATTRIBUTES.mediumType[0], mediumType);
  if (mediumType === TapeMedium.clean) {
    setUint8(bytes, ATTRIBUTES.mediumTypeInformation[0], CLEANINGS);
  }
  put(ATTRIBUTES.vendor, "Bar     ");
  put(ATTRIBUTES.barcode, barcode.padEnd(ATTRIBUTES.barcode[1] - 1));
  return bytes;
}

/** Reads attributes of {@link TAPE_ATTRIBUTES_BYTES}. */
export function decodeAttributes(bytes: Uint8Array): TapeAttributes {
  return {
    version: getUint32BE(bytes, ATTRIBUTES.version[0]),
    mediumType: getUint8(bytes, ATTRIBUTES.mediumType[0]),
    serialNumber: getText(bytes, ATTRIBUTES.serialNumber),
    barcode: getText(bytes, ATTRIBUTES.barcode),
  };
}

function getText(bytes: Uint8Array, [offset, lengthBytes]: Field): string {
  const text = Buffer.from(bytes.subarray(offset, offset + lengthBytes)).toString("latin1");
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}

function getLong(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(getUint32BE(bytes, offset)) << 32n) | BigInt(getUint32BE(bytes, offset + 4));
}

function setLong(bytes: Uint8Array, offset: number, value: bigint): void {
  setUint32BE(bytes, offset, Number(value >> 32n));
  setUint32BE(bytes, offset + 4, Number(value & 0xffff_ffffn));
}
