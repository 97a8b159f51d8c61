/** Kinds of errors: those of pools, "denied": not with this token; and a defect of the daemon. */
export const ERROR_KINDS = [
  "invalid",
  "exists",
  "missing",
  "busy",
  "foreign",
  "corrupt",
  "space",
  "unsupported",
  "failed",
  "io",
  "denied",
  "internal",
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];
