import type { TaskAttribute } from "./task-attribute.ts";
import { AdditionalHeaderType, HEADER_CDB_BYTES } from "../iscsi/pdu/scsi-command.ts";
import { setUint16BE, setUint32BE, setUint8 } from "../util/bytes.ts";
import type { Sense } from "./sense.ts";

/** One SCSI command. */
export interface Command {
  readonly lun: number;
  /** 6 to 260 bytes; more than 16 travel in an additional header. */
  readonly cdb: Uint8Array;
  /** What the initiator gives. */
  readonly dataOut?: Uint8Array;
  /** What the header claims to be given where this differs from `dataOut`; tests of residuals use it. */
  readonly expectedOutBytes?: number;
  /** How much the initiator has room for. */
  readonly expectedInBytes?: number;
  readonly attribute?: TaskAttribute;
  /** Goes ahead of the order of commands (RFC 7143 4.2.2.1). */
  readonly immediate?: boolean;
  readonly timeoutMs?: number;
  /** Called with the tag once the command is on the wire, for task management. */
  readonly onSent?: (initiatorTaskTag: number) => void;
}

/** How far the transfer missed what was expected (RFC 7143 11.4.5). */
export interface Residual {
  readonly kind: "none" | "underflow" | "overflow";
  readonly bytes: number;
}

export const NO_RESIDUAL: Residual = { kind: "none", bytes: 0 };

/** How a command ended. CHECK CONDITION is a result here, not an error. */
export interface CommandResult {
  readonly status: number;
  /** RFC 7143 11.4.3; 0: completed at the target. */
  readonly response: number;
  /** Decoded sense data, where the target sent some. */
  readonly sense: Sense | undefined;
  readonly senseBytes: Uint8Array;
  /** The data that came, up to the last byte that was written. */
  readonly dataIn: Uint8Array;
  readonly residual: Residual;
  /** Of the read direction of a bidirectional command. */
  readonly readResidual: Residual;
  /** Data-In and R2T PDUs that came. */
  readonly dataInPdus: number;
  readonly readyToTransferPdus: number;
  /** True when the status came in the last Data-In PDU. */
  readonly statusInData: boolean;
}

/** Single-level addressing, SAM-5 4.7.7: peripheral device format up to 255, flat space above. */
export function encodeLun(lun: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setUint16BE(bytes, 0, lun < 256 ? lun : 0x4000 | lun);
  return bytes;
}

/** The additional header that a command needs: the rest of a long CDB, the room of a bidirectional read. */
export function additionalHeaderOf(command: Command): Uint8Array {
  const { cdb } = command;
  const extraBytes = Math.max(0, cdb.length - HEADER_CDB_BYTES);
  const cdbSegmentBytes = extraBytes === 0 ? 0 : 4 + ((extraBytes + 3) & ~3);
  const bidirectional = command.dataOut !== undefined && (command.expectedInBytes ?? 0) > 0;
  const bytes = new Uint8Array(cdbSegmentBytes + (bidirectional ? 8 : 0));
  if (extraBytes > 0) {
    // The length counts what follows the type, thus the reserved byte too (RFC 7143 11.2.2.3).
    setUint16BE(bytes, 0, extraBytes + 1);
    setUint8(bytes, 2, AdditionalHeaderType.extendedCdb);
    bytes.set(cdb.subarray(HEADER_CDB_BYTES), 4);
  }
  if (bidirectional) {
    setUint16BE(bytes, cdbSegmentBytes, 5);
    setUint8(bytes, cdbSegmentBytes + 2, AdditionalHeaderType.bidirectionalReadLength);
    setUint32BE(bytes, cdbSegmentBytes + 4, command.expectedInBytes ?? 0);
  }
  return bytes;
}
