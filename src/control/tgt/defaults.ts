/*
 * What tgt has before anybody says anything, in the words of its protocol. The daemon shows it where nothing was set, and the commands
 * leave it out of what they write down.
 */

/** What a target negotiates, in tgt's order; lengths are in bytes, times in seconds. */
export const SESSION_KEY_DEFAULTS = {
  MaxRecvDataSegmentLength: "8192",
  HeaderDigest: "None",
  DataDigest: "None",
  InitialR2T: "Yes",
  MaxOutstandingR2T: "1",
  ImmediateData: "Yes",
  FirstBurstLength: "65536",
  MaxBurstLength: "262144",
  DataPDUInOrder: "Yes",
  DataSequenceInOrder: "Yes",
  ErrorRecoveryLevel: "0",
  IFMarker: "No",
  OFMarker: "No",
  DefaultTime2Wait: "2",
  DefaultTime2Retain: "20",
  OFMarkInt: "Reject",
  IFMarkInt: "Reject",
  MaxConnections: "1",
  RDMAExtensions: "Yes",
  TargetRecvDataSegmentLength: "262144",
  InitiatorRecvDataSegmentLength: "262144",
  MaxOutstandingUnexpectedPDUs: "0",
  MaxXmitDataSegmentLength: "8192",
  MaxQueueCmd: "128",
} as const;

/** The name of a session key. */
export type SessionKey = keyof typeof SESSION_KEY_DEFAULTS;

/** How initiators are asked whether they live: not at all. */
export const NOP_DEFAULTS = { nop_interval: "0", nop_count: "0" } as const;

const HEX_DIGITS_MIN = 4;

function hex(value: number): string {
  return value.toString(16).padStart(HEX_DIGITS_MIN, "0");
}

/** The designator of a unit: the text after the vendor's eight characters is tid and LUN. */
export function usualScsiId(tid: number, lun: number): string {
  return `IET     ${hex(tid)}${hex(lun)}`;
}

/** The serial number of a unit. Tid 1 with LUN 11 has that of tid 11 with LUN 1: tgt's, too. */
export function usualScsiSn(tid: number, lun: number): string {
  return `beaf${tid}${lun}`;
}
