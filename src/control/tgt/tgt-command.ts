import type { TgtRefusalName } from "./errors.ts";
import { restAfter, splitParameters, upToComma, utf8Text } from "./parameters.ts";
import { MODES, NO_TARGET_ID, OPERATIONS, type TgtOperation, type TgtRequest } from "./request.ts";
import { newLogicalUnit, type NewLogicalUnit } from "./tgt-command-lun.ts";
import { portalsOf, type TgtPortal } from "./tgt-command-portal.ts";
import {
  lunSettings,
  systemSettings,
  targetSetting,
  type TgtSetting,
} from "./tgt-command-update.ts";

/** Drivers that tgtd knows. iser is not built in: nothing can be made with it. */
export type TgtDriver = "iscsi" | "iser";

/** Rules of access; one request may have both. */
export interface TgtAccess {
  readonly initiatorAddress: string | undefined;
  readonly initiatorName: string | undefined;
}

/** What a valid request asks for. */
export type TgtCommand =
  | { readonly kind: "system-show" | "system-stat" | "system-delete" }
  /** Empty: nothing is to be changed, which is a success. */
  | { readonly kind: "system-update"; readonly settings: readonly TgtSetting[] }
  | { readonly kind: "target-new"; readonly targetId: number; readonly name: string }
  | { readonly kind: "target-delete"; readonly targetId: number; readonly force: boolean }
  /** Undefined: all targets. */
  | { readonly kind: "target-show"; readonly targetId: number | undefined }
  | { readonly kind: "target-stat"; readonly targetId: number }
  | { readonly kind: "target-update"; readonly targetId: number; readonly setting: TgtSetting }
  | {
      readonly kind: "target-bind" | "target-unbind";
      readonly targetId: number;
      readonly access: TgtAccess;
    }
  /** To a host of this machine, for drivers of parallel busses: iSCSI has nothing to do. */
  | {
      readonly kind: "target-bind-host" | "target-unbind-host";
      readonly targetId: number;
      readonly hostNumber: number;
    }
  | {
      readonly kind: "lun-new";
      readonly targetId: number;
      readonly lun: bigint;
      readonly unit: NewLogicalUnit;
    }
  | { readonly kind: "lun-delete" | "lun-stat"; readonly targetId: number; readonly lun: bigint }
  | {
      readonly kind: "lun-update";
      readonly targetId: number;
      readonly lun: bigint;
      readonly settings: readonly TgtSetting[];
    }
  | { readonly kind: "portal-show" }
  | { readonly kind: "portal-new" | "portal-delete"; readonly portals: readonly TgtPortal[] }
  | { readonly kind: "lld-show" }
  | { readonly kind: "lld-start" | "lld-stop"; readonly driver: TgtDriver }
  | { readonly kind: "session-stat"; readonly targetId: number; readonly sessionId: bigint }
  | { readonly kind: "connection-show"; readonly targetId: number }
  | {
      readonly kind: "connection-delete" | "connection-stat";
      readonly targetId: number;
      readonly sessionId: bigint;
      readonly connectionId: number;
    }
  | { readonly kind: "account-show" }
  | { readonly kind: "account-new"; readonly user: string; readonly password: string }
  | { readonly kind: "account-delete"; readonly user: string }
  | {
      readonly kind: "account-bind" | "account-unbind";
      /** Undefined: the accounts of discovery. */
      readonly targetId: number | undefined;
      readonly user: string;
      readonly outgoing: boolean;
    };

/** What tgtd looks up before it finds a fault, so that a missing target is told rather than a wrong value. */
export type TgtLookup = "target" | "lun" | "free-lun";

/** A request that is not carried out. */
export interface TgtRefusal {
  readonly kind: "refused";
  readonly error: TgtRefusalName;
  /** In order; where one of these fails, its own error is the answer. */
  readonly after: readonly TgtLookup[];
}

function refuse(error: TgtRefusalName, ...after: readonly TgtLookup[]): TgtRefusal {
  return { kind: "refused", error, after };
}

const DRIVERS: Readonly<Record<string, TgtDriver>> = { "": "iscsi", iscsi: "iscsi", iser: "iser" };

/** Longest iSCSI name, RFC 7143 4.2.7.1, in bytes. tgtd takes longer ones, which no initiator can log in to. */
const NAME_BYTES_MAX = 223;

type Answer = TgtCommand | TgtRefusal;

/**
 * What a request asks for, or the error that tgtd 1.0.85 gives. Stricter than tgtd where that crashes (a text that is missing),
 * and where it makes what cannot be used (a target without a number or name, or with a name too long; an account whose password
 * is whatever stood behind the comma; a bad setting of the system behind which State stands), and where a text is no UTF-8: these
 * are invalid.
 */
export function toCommand(given: TgtRequest): Answer {
  // All that the parts of the text are compared with and shown as is text, not bytes.
  const text = given.text === undefined ? undefined : utf8Text(given.text);
  if (text === null) return refuse("invalid-request");
  const request = { ...given, text };
  const driver = Object.hasOwn(DRIVERS, request.driver) ? DRIVERS[request.driver] : undefined;
  if (driver === undefined) return refuse("no-driver");
  const operation = OPERATIONS[request.operation];
  const mode = MODES[request.mode];
  // A driver that has not started can only be asked how it is.
  if (driver === "iser" && mode !== "lld") return refuse("no-driver");
  switch (mode) {
    case "system":
      return systemCommand(operation, request);
    case "target":
      return targetCommand(operation, request);
    case "logicalunit":
      return lunCommand(operation, request);
    case "portal":
      return portalCommand(operation, request);
    case "lld":
      return lldCommand(operation, driver);
    case "session":
      return operation === "stat"
        ? { kind: "session-stat", targetId: request.targetId, sessionId: request.sessionId }
        : refuse("invalid-request");
    case "connection":
      return connectionCommand(operation, request);
    case "account":
      return accountCommand(operation, request);
    case undefined:
    default:
      return refuse("invalid-request");
  }
}

type Operation = TgtOperation | undefined;

function systemCommand(operation: Operation, { text }: TgtRequest): Answer {
  if (operation === "show" || operation === "stat" || operation === "delete") {
    return { kind: `system-${operation}` };
  }
  if (operation !== "update" || text === undefined) return refuse("invalid-request");
  const settings = systemSettings(text);
  return settings === null ? refuse("invalid-request") : { kind: "system-update", settings };
}

function targetCommand(operation: Operation, request: TgtRequest): Answer {
  const { targetId, text, force } = request;
  switch (operation) {
    case "new":
      return newTarget(targetId, text ?? "");
    case "delete":
      return { kind: "target-delete", targetId, force: force !== 0 };
    case "show":
      return { kind: "target-show", targetId: targetId === NO_TARGET_ID ? undefined : targetId };
    case "stat":
      return { kind: "target-stat", targetId };
    case "bind":
    case "unbind":
      return bindTarget(operation, request);
    case "update":
      return updateTarget(targetId, text ?? "");
    case "start":
    case "stop":
    case undefined:
    default:
      return refuse("invalid-request");
  }
}

function newTarget(targetId: number, text: string): Answer {
  const name = splitParameters(text).findLast(({ key }) => key === "targetname")?.value ?? "";
  if (targetId < 1 || name.length > NAME_BYTES_MAX) return refuse("invalid-request");
  if (!/^[A-Za-z0-9:.-]+$/.test(name)) return refuse("invalid-request");
  return { kind: "target-new", targetId, name };
}

function updateTarget(targetId: number, text: string): Answer {
  const setting = targetSetting(text);
  if (setting === undefined) return refuse("unsupported-operation", "target");
  if (setting === null) return refuse("invalid-request", "target");
  return { kind: "target-update", targetId, setting };
}

function bindTarget(operation: "bind" | "unbind", request: TgtRequest): Answer {
  const { targetId, text, hostNumber } = request;
  if (text === undefined) return { kind: `target-${operation}-host`, targetId, hostNumber };
  const initiatorAddress = restAfter(text, "initiator-address");
  const initiatorName = restAfter(text, "initiator-name");
  if (initiatorAddress === undefined && initiatorName === undefined) {
    return refuse("invalid-request");
  }
  return { kind: `target-${operation}`, targetId, access: { initiatorAddress, initiatorName } };
}

function lunCommand(operation: Operation, request: TgtRequest): Answer {
  const { targetId, lun, text, deviceType } = request;
  switch (operation) {
    case "new": {
      const unit = newLogicalUnit(text, deviceType);
      if (unit === null) return refuse("invalid-request", "target", "free-lun");
      return { kind: "lun-new", targetId, lun, unit };
    }
    case "delete":
      // The controller goes with its target only.
      if (lun === 0n) return refuse("invalid-request");
      return { kind: "lun-delete", targetId, lun };
    case "stat":
      return { kind: "lun-stat", targetId, lun };
    case "update": {
      const settings = lunSettings(text ?? "");
      if (settings === null) return refuse("invalid-request", "target", "lun");
      return { kind: "lun-update", targetId, lun, settings };
    }
    case "bind":
    case "show":
    case "start":
    case "stop":
    case "unbind":
    case undefined:
    default:
      return refuse("unsupported-operation");
  }
}

function portalCommand(operation: Operation, { text }: TgtRequest): Answer {
  if (operation === "show") return { kind: "portal-show" };
  if (operation !== "new" && operation !== "delete") return refuse("invalid-request");
  const portals = portalsOf(text ?? "");
  return portals === null ? refuse("invalid-request") : { kind: `portal-${operation}`, portals };
}

function lldCommand(operation: Operation, driver: TgtDriver): Answer {
  if (operation === "show") return { kind: "lld-show" };
  if (operation !== "start" && operation !== "stop") return refuse("invalid-request");
  if (operation === "start" && driver === "iser") return refuse("unknown");
  return { kind: `lld-${operation}`, driver };
}

function connectionCommand(operation: Operation, request: TgtRequest): Answer {
  const { targetId, sessionId, connectionId } = request;
  if (operation === "show") return { kind: "connection-show", targetId };
  if (operation !== "delete" && operation !== "stat") return refuse("invalid-request");
  return { kind: `connection-${operation}`, targetId, sessionId, connectionId };
}

function accountCommand(operation: Operation, request: TgtRequest): Answer {
  const { text = "", targetId, accountDirection } = request;
  const user = restAfter(text, "user");
  switch (operation) {
    case "show":
      return { kind: "account-show" };
    case "new":
      return newAccount(user);
    case "delete":
      return user === undefined ? refuse("invalid-request") : { kind: "account-delete", user };
    case "bind":
    case "unbind":
      if (user === undefined) return refuse("invalid-request");
      return {
        kind: `account-${operation}`,
        targetId: targetId === NO_TARGET_ID ? undefined : targetId,
        user,
        outgoing: accountDirection !== 0,
      };
    case "start":
    case "stat":
    case "stop":
    case "update":
    case undefined:
    default:
      return refuse("unsupported-operation");
  }
}

/** The password is found behind the name's comma, and goes to the end: it may have commas, a name may not. */
function newAccount(text: string | undefined): Answer {
  if (text === undefined || !text.includes(",")) return refuse("invalid-request");
  const user = upToComma(text);
  const behind = text.slice(user.length + 1);
  const start = behind.indexOf("password");
  if (start === -1) return refuse("invalid-request");
  const password = behind.slice(start + "password=".length);
  return { kind: "account-new", user, password };
}
