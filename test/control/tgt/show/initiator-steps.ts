import { executeGood, newCdb } from "../../../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../../../src/initiator/session.ts";

/** PREVENT ALLOW MEDIUM REMOVAL, SPC-4 6.25: the medium stays in until the session ends. */
export async function preventRemoval(session: InitiatorSession, lun: number): Promise<void> {
  const cdb = newCdb(6, 0x1e);
  cdb[4] = 1;
  await executeGood(session, { lun, cdb }, "PREVENT ALLOW MEDIUM REMOVAL");
}

const CONTROL_PAGE = 0x0a;
const HEADER_BYTES = 4;
const BLOCK_DESCRIPTOR_BYTES = 8;
const PAGE_BYTES = 12;

/** Sets the SWP bit of the control mode page, SPC-4 7.5.8, with MODE SELECT (6). */
export async function protectFromWrites(session: InitiatorSession, lun: number): Promise<void> {
  const length = HEADER_BYTES + BLOCK_DESCRIPTOR_BYTES + PAGE_BYTES;
  const sense = newCdb(6, 0x1a);
  sense[2] = CONTROL_PAGE;
  sense[4] = length;
  const { dataIn } = await executeGood(
    session,
    { lun, cdb: sense, expectedInBytes: length },
    "MODE SENSE (6)",
  );
  const dataOut = new Uint8Array(HEADER_BYTES + PAGE_BYTES);
  dataOut.set(dataIn.subarray(HEADER_BYTES + BLOCK_DESCRIPTOR_BYTES, length), HEADER_BYTES);
  dataOut[HEADER_BYTES + 4] = 0x08;
  const select = newCdb(6, 0x15);
  select[1] = 0x10;
  select[4] = dataOut.length;
  await executeGood(session, { lun, cdb: select, dataOut }, "MODE SELECT (6)");
}
