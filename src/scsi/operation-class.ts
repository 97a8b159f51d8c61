import { getUint8 } from "../util/bytes.ts";

/**
 * What commands are counted as. Those that are neither of the first four are told apart by the way their data go, because
 * tgt counts every command with data as a read or as a write.
 */
export const OperationClass = {
  read: 0,
  write: 1,
  unmap: 2,
  flush: 3,
  /** INQUIRY, REPORT LUNS, ...: data for the initiator that are not of the medium. */
  otherIn: 4,
  /** VERIFY with data, ...: data of the initiator that are not written. */
  otherOut: 5,
  /** Without data. */
  other: 6,
} as const;
export type OperationClass = (typeof OperationClass)[keyof typeof OperationClass];

export const OPERATION_CLASSES: number = Object.keys(OperationClass).length;

/** Operation codes of SBC-3, those that are not offered too: an attempt at a write is one. */
const CODES: Readonly<Record<"read" | "write" | "unmap" | "flush", readonly number[]>> = {
  read: [0x08, 0x28, 0xa8, 0x88],
  // WRITE, WRITE AND VERIFY, WRITE SAME, COMPARE AND WRITE.
  write: [0x0a, 0x2a, 0xaa, 0x8a, 0x2e, 0xae, 0x8e, 0x41, 0x93, 0x89],
  unmap: [0x42],
  flush: [0x35, 0x91],
};

const BY_CODE: Uint8Array = classTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(256).fill(OperationClass.other);
  for (const name of ["read", "write", "unmap", "flush"] as const) {
    for (const code of CODES[name]) table[code] = OperationClass[name];
  }
  return table;
}

/** The class of a command by its operation code and by what the initiator expects to receive and to send. */
export function operationClassOf(
  operationCode: number,
  expectedInBytes: number,
  expectedOutBytes: number,
): OperationClass {
  const known = getUint8(BY_CODE, operationCode) as OperationClass;
  if (known !== OperationClass.other) return known;
  if (expectedOutBytes !== 0) return OperationClass.otherOut;
  return expectedInBytes !== 0 ? OperationClass.otherIn : OperationClass.other;
}
