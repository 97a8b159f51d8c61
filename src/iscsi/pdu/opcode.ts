/** PDU opcodes, RFC 7143 11.2.1.2: 00-1Fh from the initiator, 20-3Fh from the target. */
export const Opcode = {
  nopOut: 0x00,
  scsiCommand: 0x01,
  taskManagementRequest: 0x02,
  loginRequest: 0x03,
  textRequest: 0x04,
  dataOut: 0x05,
  logoutRequest: 0x06,
  snackRequest: 0x10,
  nopIn: 0x20,
  scsiResponse: 0x21,
  taskManagementResponse: 0x22,
  loginResponse: 0x23,
  textResponse: 0x24,
  dataIn: 0x25,
  logoutResponse: 0x26,
  readyToTransfer: 0x31,
  asyncMessage: 0x32,
  reject: 0x3f,
} as const;

/** Byte 0: opcode in the low six bits, and the mark of immediate delivery. */
export const OPCODE_MASK = 0x3f;
export const IMMEDIATE_FLAG = 0x40;

/** Byte 1, in every PDU that has it: last of a sequence. */
export const FINAL_FLAG = 0x80;

/** The tag that stands for "none", RFC 7143 11.2.1.8 and 11.4. */
export const RESERVED_TAG = 0xffff_ffff;
