import { makeVisible } from "../../../util/visible-text.ts";
import { errorNumber } from "../errors.ts";
import type { TgtRequest } from "../request.ts";
import type { TgtResponse } from "../response.ts";
import { showAccounts } from "../show/show-account.ts";
import { showConnections } from "../show/show-connection.ts";
import { showDrivers } from "../show/show-driver.ts";
import { showParameters } from "../show/show-parameters.ts";
import { showPortals } from "../show/show-portal.ts";
import { showSystem } from "../show/show-system.ts";
import { showTargets } from "../show/show-target.ts";
import { type TgtCommand, toCommand, type TgtLookup, type TgtRefusal } from "../tgt-command.ts";
import { bindAccess, unbindAccess } from "./access.ts";
import { bindAccount, deleteAccount, makeAccount, unbindAccount } from "./accounts.ts";
import { hasLun, targetOfId } from "./find.ts";
import { deleteLun, makeLun } from "./luns.ts";
import { deletePortals, makePortals, shownPortals } from "./portals.ts";
import { deleteConnection } from "./sessions.ts";
import { setDriver, setSystem } from "./set-system.ts";
import { shownDrivers, shownSystem } from "./shown-system.ts";
import { shownNexuses, shownParameters, shownTarget } from "./shown-target.ts";
import {
  connectionStatistics,
  lunStatistics,
  sessionStatistics,
  systemStatistics,
  targetStatistics,
} from "./statistics.ts";
import { deleteTarget, makeTarget, setTarget } from "./targets.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";
import { refusalOf, TgtRefused } from "./tgt-refused.ts";
import { updateLun } from "./update-lun.ts";

/** Of a command, what names its object; never what its user keeps secret. */
const OBJECT_KEYS: readonly string[] = ["targetId", "lun", "name", "user", "connectionId"];

/** As long as a name of iSCSI. */
const SHOWN_MAX = 223;

/** Carries out a request of tgt's management protocol. Never rejects: what goes wrong is in the answer, and the reason is logged. */
export async function execute(daemon: TgtDaemon, request: TgtRequest): Promise<TgtResponse> {
  const command = toCommand(request);
  const { targetId, lun } = request;
  daemon.log.debug({ command: command.kind, targetId, lun: String(lun) }, "a request of tgtadm");
  try {
    if (command.kind === "refused") throw refused(daemon, command, request);
    return { error: 0, text: (await run(daemon, command)) ?? "" };
  } catch (error) {
    const refusal = refusalOf(error);
    const fields = { command: command.kind, ...objectOf(command), error: refusal ?? "unknown" };
    if (refusal === null) daemon.log.error({ ...fields, error }, "a request ran into a defect");
    else daemon.log.info({ ...fields, reason: reasonOf(error) }, "a request was refused");
    return { error: errorNumber(refusal ?? "unknown"), text: "" };
  }
}

/** What a command is about, for the log: tgt's words do not say. */
function objectOf(command: TgtCommand | TgtRefusal): Readonly<Record<string, unknown>> {
  const about: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(command)) {
    if (!OBJECT_KEYS.includes(key) || value === undefined) continue;
    about[key] = typeof value === "number" ? value : makeVisible(String(value).slice(0, SHOWN_MAX));
  }
  return about;
}

function reasonOf(error: unknown): string {
  return makeVisible(error instanceof Error ? error.message : String(error));
}

/** The error of a request that is none, behind what tgtd looks up before it finds that. */
function refused(daemon: TgtDaemon, { error, after }: TgtRefusal, request: TgtRequest): TgtRefused {
  try {
    for (const lookup of after) lookUp(daemon, lookup, request);
  } catch (missing) {
    if (missing instanceof TgtRefused) return missing;
    throw missing;
  }
  return new TgtRefused(error);
}

function lookUp({ plane }: TgtDaemon, lookup: TgtLookup, { targetId, lun }: TgtRequest): void {
  const target = targetOfId(plane.view, targetId);
  if (lookup === "target") return;
  if (lookup === "lun" && !hasLun(target, lun)) throw new TgtRefused("no-lun");
  if (lookup === "free-lun" && hasLun(target, lun)) throw new TgtRefused("lun-exists");
}

type Text = string | void;
type Kind<Prefix extends string> = Extract<TgtCommand, { readonly kind: `${Prefix}-${string}` }>;

function run(daemon: TgtDaemon, command: TgtCommand): Promise<Text> | Text {
  if (isOf(command, "system")) return runSystem(daemon, command);
  if (isOf(command, "target")) return runTarget(daemon, command);
  if (isOf(command, "lun")) return runLun(daemon, command);
  if (isOf(command, "portal")) return runPortal(daemon, command);
  if (isOf(command, "lld")) return runDriver(daemon, command);
  if (isOf(command, "session")) return sessionStatistics(daemon, command);
  if (isOf(command, "connection")) return runConnection(daemon, command);
  return runAccount(daemon, command);
}

function isOf<Prefix extends string>(command: TgtCommand, prefix: Prefix): command is Kind<Prefix> {
  return command.kind.startsWith(`${prefix}-`);
}

function runSystem(daemon: TgtDaemon, command: Kind<"system">): Text {
  switch (command.kind) {
    case "system-show":
      return showSystem(shownSystem(daemon));
    case "system-stat":
      return systemStatistics(daemon);
    case "system-update":
      return setSystem(daemon, command.settings);
    case "system-delete":
      if (daemon.plane.view.all.targets.length > 0) throw new TgtRefused("invalid-request");
      return daemon.stop();
  }
}

function runTarget(daemon: TgtDaemon, command: Kind<"target">): Promise<Text> | Text {
  const { view } = daemon.plane;
  switch (command.kind) {
    case "target-new":
      return makeTarget(daemon, command.targetId, command.name);
    case "target-delete":
      return deleteTarget(daemon, command.targetId, command.force);
    case "target-show":
      if (command.targetId === undefined) {
        return showTargets(view.all.targets.map((target) => shownTarget(daemon, target)));
      }
      return showParameters(shownParameters(targetOfId(view, command.targetId), daemon.nopOptions));
    case "target-stat":
      return targetStatistics(daemon, command.targetId);
    case "target-update":
      return setTarget(daemon, command.targetId, command.setting);
    case "target-bind":
      return bindAccess(daemon, command.targetId, command.access);
    case "target-unbind":
      return unbindAccess(daemon, command.targetId, command.access);
    case "target-bind-host":
      targetOfId(view, command.targetId);
      return daemon.system.bindHost(command.hostNumber);
    case "target-unbind-host":
      return daemon.system.unbindHost(command.hostNumber);
  }
}

function runLun(daemon: TgtDaemon, command: Kind<"lun">): Promise<Text> | Text {
  const { targetId, lun } = command;
  switch (command.kind) {
    case "lun-new":
      return makeLun(daemon, targetId, lun, command.unit);
    case "lun-delete":
      return deleteLun(daemon, targetId, lun);
    case "lun-stat":
      return lunStatistics(daemon, targetId, lun);
    case "lun-update":
      return updateLun(daemon, command);
  }
}

function runPortal(daemon: TgtDaemon, command: Kind<"portal">): Promise<Text> | Text {
  switch (command.kind) {
    case "portal-show":
      return showPortals(shownPortals(daemon));
    case "portal-new":
      return makePortals(daemon, command.portals);
    case "portal-delete":
      return deletePortals(daemon, command.portals);
  }
}

function runDriver(daemon: TgtDaemon, command: Kind<"lld">): Text {
  if (command.kind === "lld-show") return showDrivers(shownDrivers(daemon));
  if (command.driver === "iser") return;
  if (command.kind === "lld-stop" && daemon.plane.view.all.targets.length > 0) {
    throw new TgtRefused("driver-active");
  }
  setDriver(daemon, command.kind === "lld-stop" ? "stopped" : "ready");
}

function runConnection(daemon: TgtDaemon, command: Kind<"connection">): Text {
  switch (command.kind) {
    case "connection-show": {
      const { name } = targetOfId(daemon.plane.view, command.targetId);
      return showConnections(shownNexuses(daemon, name));
    }
    case "connection-delete":
      return deleteConnection(daemon, command);
    case "connection-stat":
      return connectionStatistics(daemon, command);
  }
}

function runAccount(daemon: TgtDaemon, command: Kind<"account">): Promise<Text> | Text {
  switch (command.kind) {
    case "account-show":
      return showAccounts(daemon.plane.view.all.accounts.map(({ user }) => user));
    case "account-new":
      return makeAccount(daemon, command.user, command.password);
    case "account-delete":
      return deleteAccount(daemon, command.user);
    case "account-bind":
      return bindAccount(daemon, command);
    case "account-unbind":
      return unbindAccount(daemon, command);
  }
}
