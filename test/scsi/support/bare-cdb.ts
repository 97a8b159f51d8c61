import type { Command } from "../../../src/scsi/command.ts";

/** The CDB of a row with nothing but its operation code and service action. */
export function bare(command: Command): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.writeUInt8(command.operationCode, 0);
  if (command.serviceAction >= 0) buffer.writeUInt8(command.serviceAction, 1);
  return buffer;
}
