import { hostname } from "node:os";
import type { TargetConfig } from "../config/config.ts";
import type { ConfigDocument } from "../config/document.ts";
import { targetDocument } from "../config/target-shape.ts";
import { targetOf, withChangedTarget, withoutTarget, withTarget } from "../plane/edits.ts";
import {
  OperationError,
  type ReplyOf,
  type TargetReport,
  type TargetSettings,
} from "../protocol.ts";
import { actorOf, daemonOf, type OperatedDaemon } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { describeNamed, describeTarget } from "./target-report.ts";
import { wantedTarget } from "./wanted.ts";

/** What names that are made up begin with. */
const MADE_UP = "iqn.2026-11.net.thinlun";

/** Of a host's name, what goes into a target's: domains are long, and say nothing more. */
const HOST_LENGTH_MAX = 63;

/** How much of a UUID makes a name that nobody has. */
const UNIQUE_LENGTH = 8;

/** How many sessions a refusal names. */
const NAMED_SESSIONS_MAX = 5;

export async function listTargets({
  context,
}: OperationRequest<"target/list">): Promise<readonly TargetReport[]> {
  const daemon = daemonOf(context);
  return Promise.resolve(
    daemon.plane.view.all.targets.map((target) => describeTarget(daemon, target)),
  );
}

/** Errors: missing. */
export async function showTarget({
  context,
  body,
}: OperationRequest<"target/show">): Promise<TargetReport> {
  const daemon = daemonOf(context);
  const name = targetNameOf(body.target);
  const found = daemon.plane.view.all.targets.find((one) => one.name === name);
  if (found === undefined) throw new OperationError("missing", `there is no target ${name}`);
  return Promise.resolve(describeTarget(daemon, found));
}

/** Without LUNs. Errors: invalid, exists, io. */
export async function createTarget(
  request: OperationRequest<"target/create">,
): Promise<TargetReport> {
  const { context, body } = request;
  const daemon = daemonOf(context);
  const { name = madeUpName(hostname(), context.makeUuid()), ...settings } = body;
  const target = wantedTarget({ name, luns: [], ...settingsDocument(settings, {}) });
  await daemon.plane.change(actorOf(request), "target/create", (view) => withTarget(view, target));
  return describeNamed(daemon, target.name);
}

/** What is not given stays as it is; it is for the logins to come. Errors: invalid, missing, foreign, io. */
export async function setTarget(request: OperationRequest<"target/set">): Promise<TargetReport> {
  const { body } = request;
  const { target: _, ...settings } = body;
  if (Object.keys(settings).length === 0) {
    throw new OperationError("invalid", `nothing is to be changed of target ${body.target}`);
  }
  return changeTarget(request, "target/set", (target) => {
    const document = targetDocument(target);
    return wantedTarget({ ...document, ...settingsDocument(settings, document) });
  });
}

/** Sessions are ended in order where that is asked for. Errors: missing, foreign, busy: initiators are logged in; io. */
export async function deleteTarget(
  request: OperationRequest<"target/delete">,
): Promise<ReplyOf<"target/delete">> {
  const { context, body } = request;
  const { force = false } = body;
  const daemon = daemonOf(context);
  const name = targetNameOf(body.target);
  await daemon.plane.change(actorOf(request), "target/delete", (view) => {
    const inventory = withoutTarget(view, name);
    if (!force) refuseSessions(daemon, name);
    return inventory;
  });
  return {};
}

/** Changes a target that commands have made, and answers with what it is then. */
export async function changeTarget(
  request: OperationRequest<"target/set" | "target/allow" | "target/deny" | "target/auth">,
  operation: string,
  change: (target: TargetConfig) => TargetConfig,
): Promise<TargetReport> {
  const { context, body } = request;
  const daemon = daemonOf(context);
  const name = targetNameOf(body.target);
  await daemon.plane.change(actorOf(request), operation, (view) => {
    targetOf(view, name);
    return withChangedTarget(view, name, change);
  });
  return describeNamed(daemon, name);
}

/** The form in which names are compared. Errors: invalid. */
export function targetNameOf(text: string): string {
  return wantedTarget({ name: text, luns: [] }).name;
}

function refuseSessions({ server }: OperatedDaemon, name: string): void {
  const sessions = [...server.sessions].filter(({ target }) => target.name === name);
  if (sessions.length === 0) return;
  const named = sessions.slice(0, NAMED_SESSIONS_MAX).map(({ initiatorName }) => initiatorName);
  const more = sessions.length - named.length;
  const rest = more === 0 ? "" : ` and ${more} more`;
  throw new OperationError(
    "busy",
    `initiators are logged in to ${name}: ${named.join(", ")}${rest}; have them log out, or force it`,
  );
}

/** A name that no other target has: of this host, and with some digits of a UUID. */
export function madeUpName(host: string, uuid: string): string {
  const plain = host.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-");
  const name = plain.slice(0, HOST_LENGTH_MAX).replaceAll(/^-+|-+$/g, "");
  return `${MADE_UP}:${name === "" ? "host" : name}-${uuid.slice(0, UNIQUE_LENGTH)}`;
}

function partOf(document: ConfigDocument, key: string): ConfigDocument {
  return (document[key] ?? {}) as ConfigDocument;
}

/** Settings by the names that the configuration has for them. */
function settingsDocument(settings: TargetSettings, before: ConfigDocument): ConfigDocument {
  const { alias, state, portalGroups, redirect, sessionsMax, pings } = settings;
  return {
    ...(alias === undefined ? {} : { alias }),
    ...(state === undefined ? {} : { state }),
    ...(portalGroups === undefined ? {} : { portalGroups }),
    ...(redirect === undefined ? {} : { redirect: redirect && { ...redirect } }),
    ...(sessionsMax === undefined ? {} : { sessions: sessionsMax }),
    ...(settings.parameters === undefined
      ? {}
      : { parameters: { ...partOf(before, "parameters"), ...settings.parameters } }),
    ...(pings === undefined ? {} : { pings: { ...partOf(before, "pings"), ...pings } }),
  };
}
