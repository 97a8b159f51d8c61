import {
  MODES,
  OPERATIONS,
  type TgtMode,
  type TgtOperation,
} from "../../../control/tgt/request.ts";
import type { Settings } from "./options.ts";

/**
 * What tgtadm itself refuses, before it asks the daemon: operations that a mode does not have, options that an operation
 * does not have, and options that are missing. Sessions and connections are left to the daemon.
 */

/** The letters of the options that an operation has; `any`: they are not looked at. */
type Allowed = string;
const ANY = "any";

/** It takes this one with everything. */
const DEBUG_LETTER = "d";

const ALLOWED: Readonly<Partial<Record<TgtMode, Partial<Record<TgtOperation, Allowed>>>>> = {
  system: { update: "LmonvC", show: ANY, delete: ANY, stat: ANY },
  target: {
    new: "LmotTC",
    delete: "LmotCF",
    show: "LmotC",
    stat: "LmotC",
    bind: "LmotIQBHC",
    unbind: "LmotIQBHC",
    update: "LmotnvC",
  },
  logicalunit: {
    new: "LmofytlbEYCS",
    delete: "LmotlC",
    stat: "LmotlC",
    update: "LmofytlPC",
  },
  account: {
    new: "LmoupfC",
    show: "LmoC",
    delete: "LmouC",
    bind: "LmotuOC",
    unbind: "LmotuOC",
  },
  portal: { new: "LmoCP", delete: "LmoCP", show: "LmoC" },
  lld: { start: "LmoC", stop: "LmoC", show: "LmoC" },
};

/** Where it says that an option is not allowed in words of its own. */
const SHORT_WORDS = new Set(["logicalunit update", "portal show"]);

/** Device types with which a unit may begin without media: disk, tape and CD. */
const TYPES_WITHOUT_STORE = new Set([0, 1, 5]);

/** What is wrong with a command line, without the name of the program; undefined where the daemon is asked. */
export function complaint(settings: Settings): string | undefined {
  if (settings.operation === undefined) return "specify the operation type";
  if (settings.mode === undefined) return "specify the mode";
  const mode = MODES[settings.mode];
  const operation = OPERATIONS[settings.operation];
  if (mode === undefined || operation === undefined) return undefined;
  const operations = ALLOWED[mode];
  if (operations === undefined) return undefined;
  const missing = missingBefore(mode, operation, settings);
  if (missing !== undefined) return missing;
  const allowed = operations[operation];
  if (allowed === undefined) {
    return mode === "lld"
      ? `option ${settings.operation} not supported in lld mode`
      : `operation ${operation} not supported in ${mode} mode`;
  }
  return wrongOption(mode, operation, allowed, settings) ?? missingAfter(mode, operation, settings);
}

function wrongOption(
  mode: TgtMode,
  operation: TgtOperation,
  allowed: Allowed,
  { letters }: Settings,
): string | undefined {
  if (allowed === ANY) return undefined;
  const letter = letters.find((each) => each !== DEBUG_LETTER && !allowed.includes(each));
  if (letter === undefined) return undefined;
  return SHORT_WORDS.has(`${mode} ${operation}`)
    ? `option '-${letter}' not supported in ${mode} mode`
    : `${mode} mode: option '-${letter}' is not allowed/supported`;
}

/** What it misses before it looks at the other options. */
function missingBefore(
  mode: TgtMode,
  operation: TgtOperation,
  { targetId, lun }: Settings,
): string | undefined {
  if (mode === "target" && operation !== "show" && targetId <= 0) {
    return targetId === 0 ? "'tid' cannot be 0" : "'tid' option is necessary";
  }
  if (mode !== "logicalunit") return undefined;
  if (targetId < 0) return "'tid' option is necessary";
  if (targetId === 0) return "'tid' must not be 0";
  return lun === 0xffff_ffff_ffff_ffffn ? "'lun' option is necessary" : undefined;
}

function missingAfter(
  mode: TgtMode,
  operation: TgtOperation,
  settings: Settings,
): string | undefined {
  switch (`${mode} ${operation}`) {
    case "system update":
    case "target update":
      return has(settings, "n") && has(settings, "v")
        ? undefined
        : "update operation requires 'name' and 'value' options";
    case "target new":
      return has(settings, "T")
        ? undefined
        : "creating new target requires a name, use --targetname";
    case "target bind":
    case "target unbind":
      return has(settings, "I") || has(settings, "Q") || settings.hostNumber !== 0
        ? undefined
        : `${operation} operation requires initiator-address, initiator-nameor bus`;
    case "account new":
      return has(settings, "u") && has(settings, "p")
        ? undefined
        : "'user' and 'password' options are required";
    case "account bind":
    case "account unbind":
      return has(settings, "u") ? undefined : "'user' option is necessary";
    case "logicalunit new":
      return has(settings, "b") || TYPES_WITHOUT_STORE.has(settings.deviceType)
        ? undefined
        : "'backing-store' option is necessary";
    case "portal new":
    case "portal delete":
      return has(settings, "P") ? undefined : "you must specify --param portal=<portal>";
    default:
      return undefined;
  }
}

function has({ texts }: Settings, letter: keyof Settings["texts"]): boolean {
  return texts[letter] !== undefined;
}
