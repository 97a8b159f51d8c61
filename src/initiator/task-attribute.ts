/** Task attributes as the SCSI Command PDU codes them, RFC 7143 11.3.1. */
export const TaskAttribute = {
  untagged: 0,
  simple: 1,
  ordered: 2,
  headOfQueue: 3,
  aca: 4,
} as const;
export type TaskAttribute = (typeof TaskAttribute)[keyof typeof TaskAttribute];
