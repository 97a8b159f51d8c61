import { expect } from "vitest";
import type { ConnectOptions } from "../../../src/initiator/connect.ts";
import { randomIsid } from "../../../src/initiator/connect.ts";
import { encodeLun } from "../../../src/initiator/command.ts";
import type { Connection } from "../../../src/initiator/connection.ts";
import { InitiatorError } from "../../../src/initiator/initiator-error.ts";
import { login, type LoginResult } from "../../../src/initiator/login.ts";
import { DEFAULT_OFFERS } from "../../../src/initiator/parameters.ts";
import type { ReceivedPdu } from "../../../src/initiator/pdu-reader.ts";
import { cdb16, newCdb } from "../../../src/initiator/scsi.ts";
import { encodeDataOut } from "../../../src/iscsi/pdu/data-out.ts";
import {
  BASIC_HEADER_BYTES,
  initiatorTaskTagOf,
  opcodeOf,
} from "../../../src/iscsi/pdu/basic-header.ts";
import { encodeNopOut } from "../../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../../src/iscsi/pdu/opcode.ts";
import {
  decodeReadyToTransfer,
  type ReadyToTransferFields,
} from "../../../src/iscsi/pdu/ready-to-transfer.ts";
import { decodeRejectReason } from "../../../src/iscsi/pdu/reject.ts";
import { encodeScsiCommand, ScsiCommandFlag } from "../../../src/iscsi/pdu/scsi-command.ts";
import { getUint32BE, getUint8, setUint24BE, setUint32BE } from "../../../src/util/bytes.ts";
import {
  INITIATOR_NAME,
  TARGET_NAME,
  type InProcessTarget,
} from "../../support/in-process-target.ts";

const TIMEOUT_MS = 20_000;
const NOTHING = new Uint8Array(0);

/** What can be said of a SCSI Command PDU that the helper does not choose well by itself. */
export interface RawCommand {
  readonly tag: number;
  readonly cdb: Uint8Array;
  readonly cmdSn: number;
  readonly lun?: number;
  readonly flags?: number;
  readonly expectedBytes?: number;
  readonly data?: Uint8Array;
  readonly immediate?: boolean;
  readonly additionalHeader?: Uint8Array;
}

export const TEST_UNIT_READY: Uint8Array = newCdb(6, 0x00);
export const WRITE_FLAGS: number = ScsiCommandFlag.write | 1;
export const READ_FLAGS: number = ScsiCommandFlag.final | ScsiCommandFlag.read | 1;

/** Status of a SCSI Response, or of a Data-In PDU that carries one. */
export function statusOf(pdu: ReceivedPdu): number {
  return getUint8(pdu.header, 3);
}

/** Sense of a SCSI Response in fixed format, as "key/asc/ascq" in hexadecimal; empty where there is none. */
export function senseOf(pdu: ReceivedPdu): string {
  if (pdu.data.length < 16) return "";
  const hex = (at: number): string =>
    getUint8(pdu.data, 2 + at)
      .toString(16)
      .padStart(2, "0");
  return `${getUint8(pdu.data, 4) & 15}/${hex(12)}/${hex(13)}`;
}

/** A session in full feature phase of which the test writes every PDU itself. */
export class RawSession {
  readonly connection: Connection;
  readonly result: LoginResult;
  /** Of the next PDU in order; tests change it to misbehave. */
  cmdSn: number;
  #expStatSn: number;

  constructor(connection: Connection, result: LoginResult) {
    this.connection = connection;
    this.result = result;
    this.cmdSn = result.cmdSn;
    this.#expStatSn = result.expStatSn;
  }

  static async open(
    target: InProcessTarget,
    options: Partial<ConnectOptions> = {},
  ): Promise<RawSession> {
    const connection = await target.open();
    const { header = "none", data = "none" } = options.digests ?? {};
    const offers = { ...DEFAULT_OFFERS, headerDigest: header, dataDigest: data, ...options.offers };
    const sessionType = options.sessionType ?? "normal";
    const names = {
      initiatorName: INITIATOR_NAME,
      ...(sessionType === "normal" ? { targetName: TARGET_NAME } : {}),
    };
    const identity = {
      isid: options.isid ?? randomIsid(),
      tsih: options.tsih ?? 0,
      cid: options.cid ?? 0,
    };
    const result = await login(connection, { ...names, ...options, sessionType, offers }, identity);
    const session = new RawSession(connection, result);
    // Fetches the unit attention that a new nexus begins with.
    if (sessionType === "normal") {
      session.command({ tag: 0xfffff, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
      expect(statusOf(await session.receive())).toBe(2);
    }
    return session;
  }

  command(fields: RawCommand): void {
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    const data = fields.data ?? NOTHING;
    const additionalHeader = fields.additionalHeader ?? NOTHING;
    encodeScsiCommand(header, 0, {
      immediate: fields.immediate ?? false,
      flags: fields.flags ?? ScsiCommandFlag.final | 1,
      lun: encodeLun(fields.lun ?? 0),
      initiatorTaskTag: fields.tag,
      expectedDataTransferBytes: fields.expectedBytes ?? 0,
      cmdSn: fields.cmdSn,
      expStatSn: this.#expStatSn,
      cdb: fields.cdb,
      totalAdditionalHeaderWords: additionalHeader.length / 4,
      dataSegmentBytes: data.length,
    });
    this.connection.send(header, data, additionalHeader);
  }

  /** A read of `blocks` from block 0, in order. */
  read(tag: number, blocks: number): void {
    const expectedBytes = blocks * 512;
    const cdb = cdb16(0x88, 0, blocks);
    this.command({ tag, cdb, cmdSn: this.cmdSn++, flags: READ_FLAGS, expectedBytes });
  }

  /** A write of `blocks` to block 0 that brings `data` and announces more unless it is final. */
  write(tag: number, blocks: number, data: Uint8Array = NOTHING, final = true): void {
    const flags = WRITE_FLAGS | (final ? ScsiCommandFlag.final : 0);
    const cdb = cdb16(0x8a, 0, blocks);
    this.command({ tag, cdb, cmdSn: this.cmdSn++, flags, expectedBytes: blocks * 512, data });
  }

  dataOut(
    tag: number,
    targetTransferTag: number,
    place: { dataSn: number; bufferOffset: number; final: boolean },
    data: Uint8Array,
  ): void {
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encodeDataOut(header, 0, {
      ...place,
      lun: encodeLun(0),
      initiatorTaskTag: tag,
      targetTransferTag,
      expStatSn: this.#expStatSn,
      dataSegmentBytes: data.length,
    });
    this.connection.send(header, data);
  }

  /** A NOP-Out; with `RESERVED_TAG` as its tag it wants no answer. */
  nop(tag: number, cmdSn: number, immediate: boolean, data: Uint8Array = NOTHING): void {
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    const tags = { initiatorTaskTag: tag, targetTransferTag: RESERVED_TAG };
    const fields = { ...tags, lun: encodeLun(0), immediate, cmdSn, expStatSn: this.#expStatSn };
    encodeNopOut(header, 0, fields, data.length);
    this.connection.send(header, data);
  }

  /** A PDU of which only the opcode, flags and numbers are set; `change` does the rest. */
  pdu(
    opcode: number,
    change: (header: Uint8Array) => void,
    data: Uint8Array = NOTHING,
    additionalHeader: Uint8Array = NOTHING,
  ): void {
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    header[0] = opcode;
    header[1] = 0x80;
    header[4] = additionalHeader.length / 4;
    setUint24BE(header, 5, data.length);
    setUint32BE(header, 16, 0x7777);
    setUint32BE(header, 20, RESERVED_TAG);
    setUint32BE(header, 24, this.cmdSn);
    setUint32BE(header, 28, this.#expStatSn);
    change(header);
    this.connection.send(header, data, additionalHeader);
  }

  async receive(): Promise<ReceivedPdu> {
    const pdu = await this.connection.receive(TIMEOUT_MS);
    const opcode = opcodeOf(pdu.header, 0);
    const withStatus =
      opcode !== Opcode.readyToTransfer &&
      (opcode !== Opcode.dataIn || (getUint8(pdu.header, 1) & 1) !== 0) &&
      (opcode !== Opcode.nopIn || initiatorTaskTagOf(pdu.header, 0) !== RESERVED_TAG);
    if (withStatus) {
      expect(getUint32BE(pdu.header, 24)).toBe(this.#expStatSn);
      this.#expStatSn = (this.#expStatSn + 1) >>> 0;
    }
    return pdu;
  }

  /** The next PDU, which has this opcode and this tag. */
  async expect(opcode: number, tag?: number): Promise<ReceivedPdu> {
    const pdu = await this.receive();
    expect(opcodeOf(pdu.header, 0)).toBe(opcode);
    if (tag !== undefined) expect(initiatorTaskTagOf(pdu.header, 0)).toBe(tag);
    return pdu;
  }

  async expectResponse(tag: number, status: number): Promise<ReceivedPdu> {
    const pdu = await this.expect(Opcode.scsiResponse, tag);
    expect(statusOf(pdu)).toBe(status);
    return pdu;
  }

  async expectR2t(tag: number): Promise<ReadyToTransferFields> {
    const pdu = await this.expect(Opcode.readyToTransfer, tag);
    return decodeReadyToTransfer(pdu.header, 0);
  }

  async expectReject(reason: number): Promise<void> {
    const pdu = await this.expect(Opcode.reject);
    expect(decodeRejectReason(pdu.header, 0)).toBe(reason);
    expect(pdu.data).toHaveLength(BASIC_HEADER_BYTES);
  }

  /** Nothing comes but the end of the connection. */
  async expectClosed(): Promise<void> {
    const pdu = await this.connection.receive(TIMEOUT_MS).catch((error: unknown) => error);
    expect(pdu).toBeInstanceOf(InitiatorError);
    expect((pdu as InitiatorError).kind).toBe("closed");
  }

  /** The session still works: a ping is answered, and nothing else was waiting before it. */
  async expectAlive(): Promise<void> {
    const tag = 0x00aa_aaaa;
    this.nop(tag, this.cmdSn, true);
    await this.expect(Opcode.nopIn, tag);
  }
}
