import {
  getUint16BE,
  getUint32BE,
  getUint64BE,
  getUint8,
  setUint16BE,
  setUint32BE,
  setUint64BE,
} from "../util/bytes.ts";
import type { Command, CommandResult } from "./command.ts";
import { InitiatorError } from "./initiator-error.ts";
import { senseText } from "./sense.ts";
import type { InitiatorSession } from "./session.ts";

const STATUS_GOOD = 0x00;
const STATUS_CHECK_CONDITION = 0x02;
const KEY_UNIT_ATTENTION = 0x6;

/** Attentions pile up (power on, reset, capacity); more than this many in a row are not news but a fault. */
const UNIT_ATTENTIONS_MAX = 16;

/** A CDB of `lengthBytes` with the opcode set. */
export function newCdb(lengthBytes: number, opcode: number): Uint8Array {
  const cdb = new Uint8Array(lengthBytes);
  cdb[0] = opcode;
  return cdb;
}

/** A READ, WRITE or similar of 16 bytes: LBA in 2-9, length in 10-13. */
export function cdb16(opcode: number, lba: number, blocks: number): Uint8Array {
  const cdb = newCdb(16, opcode);
  setUint64BE(cdb, 2, lba);
  setUint32BE(cdb, 10, blocks);
  return cdb;
}

/** The error that a result other than GOOD stands for. */
export function errorOf(result: CommandResult, what: string): InitiatorError {
  const { status, sense } = result;
  if (status === STATUS_CHECK_CONDITION && sense !== undefined) {
    const message = `${what}: ${senseText(sense)}`;
    return new InitiatorError("check-condition", message, { status, sense });
  }
  if (result.response !== 0) {
    const message = `${what}: the target failed (response ${result.response})`;
    return new InitiatorError("status", message, { status });
  }
  const message = `${what}: SCSI status ${status.toString(16).padStart(2, "0")}h`;
  return new InitiatorError("status", message, { status });
}

/** Runs a command, once more after each unit attention, and insists on GOOD. */
export async function executeGood(
  session: InitiatorSession,
  command: Command,
  what: string,
): Promise<CommandResult> {
  for (let attentions = 0; ; attentions += 1) {
    const result = await session.execute(command);
    if (result.status === STATUS_GOOD && result.response === 0) return result;
    const attention = result.sense?.key === KEY_UNIT_ATTENTION;
    if (!attention || attentions === UNIT_ATTENTIONS_MAX) throw errorOf(result, what);
  }
}

/** Standard INQUIRY data, SPC-4 6.6.2. */
export interface Inquiry {
  /** 0: connected; 3: no such logical unit. */
  readonly peripheralQualifier: number;
  /** 0: a disk. */
  readonly deviceType: number;
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
}

const INQUIRY_BYTES = 96;
const PAGE_BYTES = 1024;

function inquiryCdb(page: number, lengthBytes: number): Uint8Array {
  const cdb = newCdb(6, 0x12);
  if (page >= 0) {
    cdb[1] = 1;
    cdb[2] = page;
  }
  setUint16BE(cdb, 3, lengthBytes);
  return cdb;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString("latin1").trimEnd();
}

function atLeast(bytes: Uint8Array, lengthBytes: number, what: string): void {
  if (bytes.length >= lengthBytes) return;
  throw new InitiatorError("protocol", `${what}: ${bytes.length} bytes are too few`);
}

export async function inquiry(session: InitiatorSession, lun: number): Promise<Inquiry> {
  const cdb = inquiryCdb(-1, INQUIRY_BYTES);
  const command = { lun, cdb, expectedInBytes: INQUIRY_BYTES };
  const { dataIn } = await executeGood(session, command, "INQUIRY");
  atLeast(dataIn, 36, "INQUIRY");
  return {
    peripheralQualifier: getUint8(dataIn, 0) >>> 5,
    deviceType: getUint8(dataIn, 0) & 0x1f,
    vendor: text(dataIn, 8, 16),
    product: text(dataIn, 16, 32),
    revision: text(dataIn, 32, 36),
  };
}

/** A page of vital product data as it came, its 4 byte header included. */
export async function vitalProductData(
  session: InitiatorSession,
  lun: number,
  page: number,
): Promise<Uint8Array> {
  const command = { lun, cdb: inquiryCdb(page, PAGE_BYTES), expectedInBytes: PAGE_BYTES };
  return (await executeGood(session, command, "INQUIRY")).dataIn;
}

export interface Capacity {
  readonly blocks: number;
  readonly blockBytes: number;
  readonly physicalBlockBytes: number;
  /** Logical block provisioning: blocks can be unmapped. */
  readonly provisioned: boolean;
}

export async function readCapacity16(session: InitiatorSession, lun: number): Promise<Capacity> {
  const cdb = newCdb(16, 0x9e);
  cdb[1] = 0x10;
  setUint32BE(cdb, 10, 32);
  const command = { lun, cdb, expectedInBytes: 32 };
  const { dataIn } = await executeGood(session, command, "READ CAPACITY (16)");
  atLeast(dataIn, 16, "READ CAPACITY (16)");
  const blockBytes = getUint32BE(dataIn, 8);
  return {
    blocks: getUint64BE(dataIn, 0) + 1,
    blockBytes,
    physicalBlockBytes: blockBytes << (getUint8(dataIn, 13) & 0x0f),
    provisioned: (getUint8(dataIn, 14) & 0x80) !== 0,
  };
}

export async function testUnitReady(session: InitiatorSession, lun: number): Promise<void> {
  await executeGood(session, { lun, cdb: newCdb(6, 0x00) }, "TEST UNIT READY");
}

/** The numbers of the logical units, SPC-4 6.33, in the order given. */
export async function reportLuns(session: InitiatorSession): Promise<number[]> {
  const cdb = newCdb(12, 0xa0);
  const roomBytes = 16 + 8 * 1024;
  setUint32BE(cdb, 6, roomBytes);
  const command = { lun: 0, cdb, expectedInBytes: roomBytes };
  const { dataIn } = await executeGood(session, command, "REPORT LUNS");
  atLeast(dataIn, 8, "REPORT LUNS");
  const luns: number[] = [];
  const end = Math.min(dataIn.length, 8 + getUint32BE(dataIn, 0));
  for (let at = 8; at + 8 <= end; at += 8) luns.push(getUint16BE(dataIn, at) & 0x3fff);
  return luns;
}

/** What a read or write works on. */
export interface BlockRange {
  readonly lun: number;
  readonly lba: number;
  readonly blocks: number;
  readonly blockBytes: number;
}

export async function read(session: InitiatorSession, range: BlockRange): Promise<Uint8Array> {
  const { lun, lba, blocks, blockBytes } = range;
  const expectedInBytes = blocks * blockBytes;
  const command = { lun, cdb: cdb16(0x88, lba, blocks), expectedInBytes };
  const { dataIn } = await executeGood(session, command, "READ (16)");
  if (dataIn.length !== expectedInBytes) {
    throw new InitiatorError("protocol", `READ (16): ${dataIn.length} of ${expectedInBytes} bytes`);
  }
  return dataIn;
}

/** `data` is as long as the range. With `forceUnitAccess` it is on stable media when this resolves. */
export async function write(
  session: InitiatorSession,
  range: BlockRange,
  data: Uint8Array,
  forceUnitAccess = false,
): Promise<void> {
  const cdb = cdb16(0x8a, range.lba, range.blocks);
  if (forceUnitAccess) cdb[1] = 0x08;
  await executeGood(session, { lun: range.lun, cdb, dataOut: data }, "WRITE (16)");
}

/** Everything written before is on stable media when this resolves. */
export async function synchronizeCache(session: InitiatorSession, lun: number): Promise<void> {
  await executeGood(session, { lun, cdb: cdb16(0x91, 0, 0) }, "SYNCHRONIZE CACHE (16)");
}

/** UNMAP of one range, SBC-3 5.28. */
export async function unmap(
  session: InitiatorSession,
  range: Omit<BlockRange, "blockBytes">,
): Promise<void> {
  const parameter = new Uint8Array(24);
  setUint16BE(parameter, 0, 22);
  setUint16BE(parameter, 2, 16);
  setUint64BE(parameter, 8, range.lba);
  setUint32BE(parameter, 16, range.blocks);
  const cdb = newCdb(10, 0x42);
  setUint16BE(cdb, 7, parameter.length);
  await executeGood(session, { lun: range.lun, cdb, dataOut: parameter }, "UNMAP");
}
