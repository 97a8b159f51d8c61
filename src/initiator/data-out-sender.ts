import { BASIC_HEADER_BYTES } from "../iscsi/pdu/basic-header.ts";
import { encodeDataOut } from "../iscsi/pdu/data-out.ts";
import { RESERVED_TAG } from "../iscsi/pdu/opcode.ts";
import type { Connection } from "./connection.ts";
import type { SessionParameters } from "./parameters.ts";

/** Where one sequence of Data-Out PDUs belongs. */
export interface DataOutSequence {
  readonly lun: Uint8Array;
  readonly initiatorTaskTag: number;
  /** Of the R2T; `RESERVED_TAG` for unsolicited data. */
  readonly targetTransferTag: number;
  readonly expStatSn: number;
}

/** How much of the data goes with the command itself (RFC 7143 4.2.5.2, 13.10, 13.11). */
export function immediateBytesOf(parameters: SessionParameters, totalBytes: number): number {
  if (!parameters.immediateData) return 0;
  return Math.min(
    totalBytes,
    parameters.firstBurstLength,
    parameters.targetMaxRecvDataSegmentLength,
  );
}

/** How much is sent unasked, immediate data included. */
export function unsolicitedBytesOf(parameters: SessionParameters, totalBytes: number): number {
  if (parameters.initialR2t) return immediateBytesOf(parameters, totalBytes);
  return Math.min(totalBytes, parameters.firstBurstLength);
}

/** Sends `data[start, end)` in PDUs no longer than the target takes; the last one is marked final. */
export function sendDataOut(
  connection: Connection,
  sequence: DataOutSequence,
  data: Uint8Array,
  range: { readonly start: number; readonly end: number },
  pieceBytesMax: number,
): void {
  let dataSn = 0;
  for (let at = range.start; at < range.end;) {
    const end = Math.min(range.end, at + pieceBytesMax);
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encodeDataOut(header, 0, {
      ...sequence,
      final: end === range.end,
      dataSn,
      bufferOffset: at,
      dataSegmentBytes: end - at,
    });
    connection.send(header, data.subarray(at, end));
    dataSn += 1;
    at = end;
  }
}

export const UNSOLICITED_TAG: number = RESERVED_TAG;
