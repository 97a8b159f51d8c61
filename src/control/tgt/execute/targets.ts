import { DEFAULT_OFFERS } from "../../../iscsi/parameters.ts";
import { parseIscsiName } from "../../../iscsi/login/iscsi-name.ts";
import { TARGET_SESSIONS_MAX_DEFAULT } from "../../../iscsi/target.ts";
import type { TargetConfig } from "../../config/config.ts";
import type { Inventory } from "../../config/inventory.ts";
import type { Edit, PlaneView } from "../../plane/control-plane.ts";
import { withChangedTarget, withoutTarget, withTarget } from "../../plane/edits.ts";
import { spelling } from "../spelled-name.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { sessionsOf, targetOfId } from "./find.ts";
import { offersOf, pingsOf, redirectOf, shownValue } from "./target-settings.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** A target as tgt makes it: nobody is let in before an address, or ALL, is bound. */
function newTarget(tid: number, name: string, text: string): TargetConfig {
  return {
    name,
    tid,
    tgt: { settings: spelling(text, name) },
    alias: null,
    luns: [],
    authentication: null,
    access: { addresses: [], initiatorNames: [], match: "all", withoutAddresses: "deny" },
    portalGroups: [],
    redirect: null,
    offers: DEFAULT_OFFERS,
    pings: {},
    sessionsMax: TARGET_SESSIONS_MAX_DEFAULT,
    state: "ready",
  };
}

/** Refused: target-exists, invalid-request. */
export async function makeTarget(daemon: TgtDaemon, tid: number, text: string): Promise<void> {
  const parsed = parseIscsiName(text);
  await daemon.plane.change(TGTADM, "tgt target new", (view) => {
    const { name } = parsed.ok ? parsed : { name: "" };
    const isTaken = view.all.targets.some((one) => one.tid === tid || one.name === name);
    if (isTaken) throw new TgtRefused("target-exists");
    if (!parsed.ok) throw new TgtRefused("invalid-request", parsed.message);
    return withTarget(view, newTarget(tid, name, text));
  });
}

/** With force, initiators are asked to log out first. Refused: no-target, target-active, unsupported-operation. */
export async function deleteTarget(
  daemon: TgtDaemon,
  targetId: number,
  force: boolean,
): Promise<void> {
  await daemon.plane.change(TGTADM, "tgt target delete", (view) => {
    const { name } = targetOfId(view, targetId);
    if (!force && sessionsOf(daemon.server, name).length > 0) {
      throw new TgtRefused("target-active");
    }
    return withoutTarget(view, name);
  });
}

/** Changes the target of a number. The change may throw, and what it throws is the answer. */
export async function changeTarget(
  daemon: TgtDaemon,
  targetId: number,
  operation: string,
  change: (target: TargetConfig, view: PlaneView) => TargetConfig,
): Promise<void> {
  const edit: Edit = (view): Inventory =>
    withChangedTarget(view, targetOfId(view, targetId).name, (target) => change(target, view));
  await daemon.plane.change(TGTADM, operation, edit);
}

/** One of tgt's settings of a target: kept as it came, and in effect where there is something that it changes. */
export async function setTarget(
  daemon: TgtDaemon,
  targetId: number,
  { key, value }: TgtSetting,
): Promise<void> {
  await changeTarget(daemon, targetId, "tgt target update", (target) => {
    if (key === "state") return { ...target, state: value === "offline" ? "offline" : "ready" };
    const settings = new Map([...(target.tgt?.settings ?? []), [key, shownValue(key, value)]]);
    return {
      ...target,
      tgt: target.tgt === null ? null : { ...target.tgt, settings },
      offers: offersOf(target.offers, key, value),
      pings: pingsOf(settings),
      redirect: redirectOf(settings),
    };
  });
}
