import type { PlaneProtocol } from "../protocol.ts";
import { ACCOUNT_SCHEMAS } from "../schemas/account.ts";
import { LUN_SCHEMAS } from "../schemas/lun.ts";
import { PORTAL_SCHEMAS } from "../schemas/portal.ts";
import { SESSION_SCHEMAS } from "../schemas/session.ts";
import { APPLY_BODY_BYTES_MAX, SYSTEM_SCHEMAS } from "../schemas/system.ts";
import { TARGET_SCHEMAS } from "../schemas/target.ts";
import { allowAccess, denyAccess } from "./access.ts";
import { createAccount, deleteAccount, listAccounts, setAccount } from "./accounts.ts";
import { applyDocument } from "./apply.ts";
import { setAuthentication } from "./authentication.ts";
import { setLun } from "./lun-settings.ts";
import { listLuns, mapVolume, unmapLun } from "./luns.ts";
import type { Operation } from "./operation.ts";
import { showStatistics } from "./lun-statistics.ts";
import { createPortal, deletePortal, listPortals } from "./portals.ts";
import { listSessions, logoutSessions } from "./sessions.ts";
import { showStatus } from "./system.ts";
import { createTarget, deleteTarget, listTargets, setTarget, showTarget } from "./targets.ts";

type Operations<P> = { readonly [Name in keyof P & keyof PlaneProtocol]: Operation<Name> };

const TARGETS = {
  "target/list": {
    ...TARGET_SCHEMAS["target/list"],
    summary: "All targets",
    role: "read",
    isReading: true,
    run: listTargets,
  },
  "target/show": {
    ...TARGET_SCHEMAS["target/show"],
    summary: "A target, its LUNs, and who is let in",
    role: "read",
    isReading: true,
    run: showTarget,
  },
  "target/create": {
    ...TARGET_SCHEMAS["target/create"],
    summary: "Makes a target without LUNs",
    role: "operate",
    run: createTarget,
  },
  "target/set": {
    ...TARGET_SCHEMAS["target/set"],
    summary: "Changes settings of a target, for the logins to come",
    role: "operate",
    run: setTarget,
  },
  "target/delete": {
    ...TARGET_SCHEMAS["target/delete"],
    summary: "Deletes a target; the volumes of its LUNs stay",
    role: "operate",
    run: deleteTarget,
  },
  "target/map": {
    ...TARGET_SCHEMAS["target/map"],
    // A path can be any file or device of the host.
    summary: "Gives a target a LUN, also while initiators are logged in",
    role: "admin",
    run: mapVolume,
  },
  "target/unmap": {
    ...TARGET_SCHEMAS["target/unmap"],
    summary: "Takes a LUN away, also while initiators are logged in; its volume stays",
    role: "operate",
    run: unmapLun,
  },
  "target/allow": {
    ...TARGET_SCHEMAS["target/allow"],
    summary: "Lets initiators in, by address or name",
    role: "operate",
    run: allowAccess,
  },
  "target/deny": {
    ...TARGET_SCHEMAS["target/deny"],
    summary: "Takes rules away by which initiators are let in",
    role: "operate",
    run: denyAccess,
  },
  "target/auth": {
    ...TARGET_SCHEMAS["target/auth"],
    summary: "Says who has to prove what by CHAP",
    role: "admin",
    run: setAuthentication,
  },
} as const satisfies Partial<Operations<PlaneProtocol>>;

const ACCOUNTS_AND_PORTALS = {
  "account/list": {
    ...ACCOUNT_SCHEMAS["account/list"],
    summary: "All accounts, without their secrets",
    role: "read",
    isReading: true,
    run: listAccounts,
  },
  "account/create": {
    ...ACCOUNT_SCHEMAS["account/create"],
    summary: "Makes an account that targets can be given",
    role: "admin",
    run: createAccount,
  },
  "account/set": {
    ...ACCOUNT_SCHEMAS["account/set"],
    summary: "Gives an account another secret, at the targets that have it, too",
    role: "admin",
    run: setAccount,
  },
  "account/delete": {
    ...ACCOUNT_SCHEMAS["account/delete"],
    summary: "Deletes an account that no target has",
    role: "admin",
    run: deleteAccount,
  },
  "portal/list": {
    ...PORTAL_SCHEMAS["portal/list"],
    summary: "All portals",
    role: "read",
    isReading: true,
    run: listPortals,
  },
  "portal/create": {
    ...PORTAL_SCHEMAS["portal/create"],
    summary: "Listens on one more address",
    role: "admin",
    run: createPortal,
  },
  "portal/delete": {
    ...PORTAL_SCHEMAS["portal/delete"],
    summary: "Stops listening on an address; sessions stay",
    role: "admin",
    run: deletePortal,
  },
} as const satisfies Partial<Operations<PlaneProtocol>>;

/** The operations on what the control plane keeps, and on sessions. */
export const PLANE_OPERATIONS: Operations<PlaneProtocol> = {
  ...TARGETS,
  ...ACCOUNTS_AND_PORTALS,
  "lun/list": {
    ...LUN_SCHEMAS["lun/list"],
    summary: "Disks as initiators see them",
    role: "read",
    isReading: true,
    run: listLuns,
  },
  "lun/set": {
    ...LUN_SCHEMAS["lun/set"],
    summary: "Changes how a LUN is described, also while initiators are logged in",
    role: "operate",
    run: setLun,
  },
  "lun/stat": {
    ...LUN_SCHEMAS["lun/stat"],
    summary: "What each initiator has done on each LUN",
    role: "read",
    isReading: true,
    run: showStatistics,
  },
  "session/list": {
    ...SESSION_SCHEMAS["session/list"],
    summary: "Sessions, and what they have negotiated",
    role: "read",
    isReading: true,
    run: listSessions,
  },
  "session/logout": {
    ...SESSION_SCHEMAS["session/logout"],
    summary: "Asks initiators to log out, and ends the sessions that are there then",
    role: "operate",
    run: logoutSessions,
  },
  "system/status": {
    ...SYSTEM_SCHEMAS["system/status"],
    summary: "How the daemon is, at a glance",
    role: "read",
    isReading: true,
    run: showStatus,
  },
  "system/apply": {
    ...SYSTEM_SCHEMAS["system/apply"],
    summary: "Makes what is there into what a document says, as a whole or not at all",
    role: "admin",
    bodyBytesMax: APPLY_BODY_BYTES_MAX,
    run: applyDocument,
  },
};
