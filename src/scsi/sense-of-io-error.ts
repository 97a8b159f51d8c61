import { unreachable } from "../util/assert.ts";
import type { IoError } from "../util/io-error.ts";
import { Sense, type SenseCode } from "./sense.ts";

/**
 * The one mapping from what storage reports to what an initiator is told. `writing` tells a failed WRITE from a
 * failed READ.
 *
 * A vanished object is NOT READY, MANUAL INTERVENTION REQUIRED: Linux fails the command at once and keeps the disk,
 * where MEDIUM NOT PRESENT is for removable media and BECOMING READY would have it retry for as long as it waits.
 *
 * Space that is being made is NOT READY, SPACE ALLOCATION IN PROGRESS (SBC-3, a temporary lack of LBA mapping
 * resources): Linux requeues the command. DATA PROTECT is for good, ENOSPC there.
 */
export function senseOfIoError(error: IoError, writing: boolean): SenseCode {
  switch (error.kind) {
    case "medium":
      return writing ? Sense.writeError : Sense.unrecoveredReadError;
    case "space":
      return Sense.spaceAllocationFailedWriteProtect;
    case "space-pending":
      return Sense.notReadySpaceAllocationInProgress;
    case "read-only":
      return Sense.writeProtected;
    case "gone":
      return Sense.notReadyManualInterventionRequired;
    case "range":
      return Sense.logicalBlockAddressOutOfRange;
    case "failed":
    case "unsupported":
      return Sense.internalTargetFailure;
    case "miscompare":
      return Sense.miscompareDuringVerifyOperation;
    default:
      return unreachable(error.kind);
  }
}
