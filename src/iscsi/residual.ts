import { ResidualFlag } from "./pdu/scsi-response.ts";

/** By how much the expected and the wanted length of a transfer differ, in bytes (RFC 7143 11.4.5). */
export function residualBytes(expectedBytes: number, wantedBytes: number): number {
  return Math.abs(expectedBytes - wantedBytes);
}

/** Underflow: the command moved less than expected. Overflow: it wanted to move more. */
export function residualFlags(expectedBytes: number, wantedBytes: number): number {
  if (wantedBytes < expectedBytes) return ResidualFlag.underflow;
  return wantedBytes > expectedBytes ? ResidualFlag.overflow : 0;
}

/** The same for the read half of a bidirectional command (RFC 7143 11.4.6). */
export function readResidualFlags(expectedBytes: number, wantedBytes: number): number {
  if (wantedBytes < expectedBytes) return ResidualFlag.bidirectionalUnderflow;
  return wantedBytes > expectedBytes ? ResidualFlag.bidirectionalOverflow : 0;
}
