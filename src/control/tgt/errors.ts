/**
 * What tgtd answers, by the number on the wire, and the words that tgtadm has for it. The order is the protocol.
 * Source: tgtadm 1.0.85, which was given each number.
 */
const ERRORS = [
  ["success", "success"],
  ["unknown", "unknown error"],
  ["no-memory", "out of memory"],
  ["no-driver", "can't find the driver"],
  ["no-target", "can't find the target"],
  ["no-lun", "can't find the logical unit"],
  ["no-session", "can't find the session"],
  ["no-connection", "can't find the connection"],
  ["no-binding", "can't find the binding"],
  ["target-exists", "this target already exists"],
  ["lun-exists", "this logical unit number already exists"],
  ["binding-exists", "this binding already exists"],
  ["acl-exists", "this access control rule already exists"],
  ["no-acl", "this access control rule does not exist"],
  ["user-exists", "this account already exists"],
  ["no-user", "can't find the account"],
  ["too-many-users", "too many accounts"],
  ["invalid-request", "invalid request"],
  ["outgoing-exists", "this target already has an outgoing account"],
  ["target-active", "this target is still active"],
  ["lun-active", "this logical unit is still active"],
  ["driver-active", "this driver is busy"],
  ["unsupported-operation", "this operation isn't supported"],
  ["unknown-parameter", "unknown parameter"],
  ["prevent-removal", "this device has Prevent Removal set"],
] as const;

export type TgtErrorName = (typeof ERRORS)[number][0];

/** What ends a request without success. */
export type TgtRefusalName = Exclude<TgtErrorName, "success">;

/** What tgtadm says for a number that it does not know. */
const UNKNOWN_NUMBER_MESSAGE = "(unknown tgtadm_errno)";

/** EINVAL: the exit status of tgtadm for every refusal, whatever its number. */
const REFUSED_EXIT_STATUS = 22;

/** Every name in the order of the numbers, 0 first. */
export const TGT_ERROR_NAMES: readonly TgtErrorName[] = ERRORS.map(([name]) => name);

/** The number of an error on the wire. */
export function errorNumber(name: TgtErrorName): number {
  return TGT_ERROR_NAMES.indexOf(name);
}

/** The name of a number from the wire, or undefined where there is none. */
export function errorName(number: number): TgtErrorName | undefined {
  return TGT_ERROR_NAMES[number];
}

/** What tgtadm prints after `tgtadm: ` on its standard error for this number. It prints nothing for 0. */
export function errorMessage(number: number): string {
  return ERRORS[number]?.[1] ?? UNKNOWN_NUMBER_MESSAGE;
}

/** The exit status of tgtadm after this number. */
export function exitStatus(number: number): number {
  return number === 0 ? 0 : REFUSED_EXIT_STATUS;
}
