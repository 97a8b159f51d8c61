import { assert } from "../util/assert.ts";
import { getUint8, setUint8 } from "../util/bytes.ts";
import type { TaskStep } from "./task.ts";

/** What a command needs of the medium. */
export const Access = {
  /** Works on a unit that is stopped or gone. */
  none: 0,
  /** Needs a unit that is ready. */
  read: 1,
  /** Needs a unit that is ready and not write protected. */
  write: 2,
} as const;
export type Access = (typeof Access)[keyof typeof Access];

/** Which way the data of a command go, seen from the initiator. */
export type DataDirection = "none" | "in" | "out";

/**
 * What a reservation of another nexus does to the command (SPC-4 table 67, SBC-3 table 13): always allowed, refused
 * unless the reservation only excludes writes, or refused.
 */
export type ReservationRule = "allowed" | "read" | "write";

/** One row of the command table. */
export interface CommandRow {
  readonly name: string;
  /**
   * CDB usage data as REPORT SUPPORTED OPERATION CODES shows it (SPC-4 6.35.3), in hexadecimal: the operation code,
   * then a one for every bit that is evaluated. Where there is a service action, byte 1 is its value.
   */
  readonly usage: string;
  /** -1 where the operation code has none. */
  readonly serviceAction: number;
  readonly direction: DataDirection;
  readonly access: Access;
  readonly reservation: ReservationRule;
  /** INQUIRY, REPORT LUNS and REQUEST SENSE run although a unit attention waits (SAM-5 5.14.1). */
  readonly allowedWithUnitAttention: boolean;
  /** Disks have it; the other commands are those that every type of unit has (SPC-4). */
  readonly diskOnly: boolean;
  readonly handler: TaskStep;
}

/** Bits of byte 1 that hold a service action (SPC-4 4.2.2.2). */
const SERVICE_ACTION_BITS = 0x1f;

/** CDB length by the group code, the top three bits of the operation code (SPC-4 4.2.1); 0: no fixed length. */
const GROUP_CDB_BYTES = [6, 10, 10, 0, 16, 12, 0, 0] as const;

/** The length of a CDB with this operation code; 0 where the code does not tell. */
export function cdbBytesOf(operationCode: number): number {
  return GROUP_CDB_BYTES[operationCode >>> 5] ?? 0;
}

/** A row in the form that the dispatcher works with. */
export class Command {
  readonly name: string;
  readonly operationCode: number;
  readonly serviceAction: number;
  readonly cdbBytes: number;
  readonly usage: Uint8Array;
  /** Bits that have to be zero, byte by byte: what `usage` does not use. */
  readonly reserved: Uint8Array;
  readonly direction: DataDirection;
  readonly access: Access;
  readonly reservation: ReservationRule;
  readonly allowedWithUnitAttention: boolean;
  readonly diskOnly: boolean;
  readonly handler: TaskStep;

  constructor(row: CommandRow) {
    const usage = Uint8Array.from(Buffer.from(row.usage.replaceAll(" ", ""), "hex"));
    this.name = row.name;
    this.operationCode = getUint8(usage, 0);
    this.serviceAction = row.serviceAction;
    this.cdbBytes = usage.length;
    this.usage = usage;
    this.reserved = usage.map((mask) => ~mask);
    setUint8(this.reserved, 0, 0);
    this.direction = row.direction;
    this.access = row.access;
    this.reservation = row.reservation;
    this.allowedWithUnitAttention = row.allowedWithUnitAttention;
    this.diskOnly = row.diskOnly;
    this.handler = row.handler;
    assert(cdbBytesOf(this.operationCode) === this.cdbBytes, "a CDB has the length of its group");
    if (row.serviceAction < 0) return;
    assert(
      (getUint8(usage, 1) & SERVICE_ACTION_BITS) === row.serviceAction,
      "usage data carry the service action",
    );
    setUint8(this.reserved, 1, ~getUint8(usage, 1) & ~SERVICE_ACTION_BITS);
  }
}

/** The service action that a CDB of such an operation code asks for. */
export function serviceActionOf(cdb: Uint8Array): number {
  return getUint8(cdb, 1) & SERVICE_ACTION_BITS;
}
