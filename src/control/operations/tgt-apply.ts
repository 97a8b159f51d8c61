import { isDeepStrictEqual } from "node:util";
import type { DiscoveryConfig, LunConfig, TargetConfig, VolumeConfig } from "../config/config.ts";
import type { Inventory } from "../config/inventory.ts";
import { withOtherSecrets } from "../plane/account-copies.ts";
import type { ControlPlane, Edit, PlaneView } from "../plane/control-plane.ts";
import { describeDifference, type Difference, differencesOf } from "../plane/differences.ts";
import { isImplied, withoutTarget } from "../plane/edits.ts";
import { nextNumber } from "../plane/numbers.ts";
import { OperationError } from "../protocol.ts";
import type {
  TgtAccountDocument,
  TgtApplyArguments,
  TgtApplyReply,
  TgtTargetDocument,
} from "../schemas/tgt-apply.ts";
import { Secret } from "../secret.ts";
import { pingsOf } from "../tgt/execute/target-settings.ts";
import { utf8Text } from "../tgt/parameters.ts";
import { meantName } from "../tgt/spelled-name.ts";
import { isSameDisk } from "../units.ts";
import { actorOf, daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { accountRequest, bindRequest, targetRequests } from "./tgt-requests.ts";
import { TgtScratch } from "./tgt-scratch.ts";

const OPERATION = "tgt/apply";

/** How often a change is thought out anew when others come in between. */
const ATTEMPTS_MAX = 8;

/** What is to be, and what stays as it was because initiators would lose something. */
interface Outcome {
  readonly inventory: Inventory;
  readonly inUse: readonly string[];
  readonly configured: readonly string[];
  readonly spared: readonly string[];
}

/** Others have changed something since this was thought out. */
class Outdated extends Error {}

/**
 * Makes the targets of a targets.conf: thought out on a copy by tgt's own commands, and then changed as a whole where it is different
 * from what is there. Sessions stay, and so do disks that stay the same. Where a disk is replaced by another one, the old one goes in
 * a change of its own before, which is taken back when the other fails. Settings of a target that targets.conf has no words for stay.
 *
 * Errors: invalid: with what tgt has against it; foreign: it is the configuration's; failed, io.
 */
export async function applyTgt(request: OperationRequest<"tgt/apply">): Promise<TgtApplyReply> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOnce(request, plane, body);
    } catch (error) {
      if (!(error instanceof Outdated)) throw error;
      if (attempt < ATTEMPTS_MAX) continue;
      throw new OperationError("busy", "others change targets all the time: try again", error);
    }
  }
}

async function applyOnce(
  request: OperationRequest<"tgt/apply">,
  plane: ControlPlane,
  body: TgtApplyArguments,
): Promise<TgtApplyReply> {
  const { server } = daemonOf(request.context);
  const { view } = plane;
  const hasSessions = (name: string): boolean =>
    [...server.sessions].some(({ target }) => target.name === name);
  const { inventory, ...left } = await thinkOut(view, body, hasSessions);
  const before = view.inventory;
  const reply = (differences: readonly Difference[]): TgtApplyReply => {
    return { differences: differences.map(describeDifference), ...left };
  };
  if (body.dryRun) {
    plane.preview(() => inventory);
    return reply(differencesOf(before, inventory));
  }
  const actor = { ...actorOf(request), replacesDisks: true };
  const unlessOutdated =
    (to: Inventory): Edit =>
    (current) => {
      if (current.inventory !== before) throw new Outdated();
      return to;
    };
  const between = withoutReplaced(before, inventory, hasSessions);
  if (between === null) await plane.change(actor, OPERATION, unlessOutdated(inventory));
  else await plane.changeInTwo(actor, OPERATION, unlessOutdated(between), () => inventory);
  return reply(differencesOf(before, inventory));
}

async function thinkOut(
  view: PlaneView,
  { wanted, remove, spareOthers, onlyNew, force }: TgtApplyArguments,
  hasSessions: (target: string) => boolean,
): Promise<Outcome> {
  if (wanted.system.length > 0) {
    throw new OperationError("invalid", "what is set of the daemon as a whole is set by tgtadm");
  }
  const scratch = new TgtScratch(view);
  const inUse: string[] = [];
  const configured: string[] = [];
  const spared: string[] = [];
  const kept = new Set(wanted.targets.map(({ name }) => meantName(name)));
  for (const spelled of remove) {
    const name = meantName(spelled);
    const old = view.all.targets.find((target) => target.name === name);
    // Another spelling of what is wanted is no other target.
    if (old === undefined || kept.has(name)) continue;
    if (view.config.targets.some((target) => target.name === name)) configured.push(spelled);
    else if (spareOthers && old.tgt === null) spared.push(spelled);
    else if (hasSessions(name) && !force) inUse.push(spelled);
    else scratch.inventory = withoutTarget(scratch.view, name);
  }
  for (const account of wanted.accounts) await putAccount(scratch, account);
  for (const target of wanted.targets) {
    const meant = meantName(target.name);
    const old = scratch.view.all.targets.find(({ name }) => name === meant);
    if (old !== undefined && onlyNew) continue;
    const before = scratch.inventory;
    await putTarget(scratch, target, old);
    const now = scratch.inventory.targets.find(({ name }) => name === old?.name);
    if (old === undefined || force || !hasSessions(old.name)) continue;
    if (now !== undefined && keepsDisks(old, now)) continue;
    scratch.inventory = before;
    inUse.push(target.name);
  }
  if (wanted.discovery !== null) await putDiscovery(scratch, wanted.discovery);
  return {
    inventory: withOldVolumes(view.inventory, scratch.inventory),
    inUse,
    configured,
    spared,
  };
}

/** Whether initiators that are logged in have all the disks that they had. */
function keepsDisks(old: TargetConfig, now: TargetConfig): boolean {
  return old.luns.every((lun) => now.luns.some((other) => isSameDisk(lun, other)));
}

/** Settings of tgt's that targets.conf need not say: its own has no words for them. */
const UNSAID = /^(?:nop_|Redirect)/;

async function putTarget(
  scratch: TgtScratch,
  wanted: TgtTargetDocument,
  old: TargetConfig | undefined,
): Promise<void> {
  const place = scratch.inventory.targets.findIndex(({ name }) => name === old?.name);
  const tid = wanted.tid ?? old?.tid ?? nextNumber(scratch.view.all);
  if (old !== undefined) scratch.inventory = withoutTarget(scratch.view, old.name);
  for (const request of targetRequests(wanted, tid)) await scratch.run(request);
  if (old === undefined) return;
  const made = scratch.inventory.targets.find(({ name }) => name === old.name);
  if (made === undefined) return;
  const targets = scratch.inventory.targets.filter((target) => target !== made);
  targets.splice(place, 0, withUnsaid(made, old, wanted));
  scratch.inventory = { ...scratch.inventory, targets };
}

function withUnsaid(
  made: TargetConfig,
  old: TargetConfig,
  wanted: TgtTargetDocument,
): TargetConfig {
  const { alias, portalGroups, sessionsMax } = old;
  const said = made.tgt?.settings ?? new Map<string, string>();
  const unsaid = [...(old.tgt?.settings ?? [])].filter(
    ([key]) => UNSAID.test(key) && !said.has(key),
  );
  const settings = new Map([...said, ...unsaid]);
  const order = [...(old.tgt?.settings.keys() ?? [])].filter((key) => settings.has(key));
  const sorted = new Map(order.map((key) => [key, settings.get(key) ?? ""]));
  for (const [key, value] of settings) sorted.set(key, value);
  return {
    ...made,
    luns: made.luns.map((lun) => withOldIds(lun, old, wanted)),
    alias,
    portalGroups,
    sessionsMax,
    redirect: made.redirect ?? old.redirect,
    pings: { ...old.pings, ...pingsOf(sorted) },
    tgt: made.tgt === null ? null : { ...made.tgt, settings: sorted },
  };
}

/** Identifier and serial number as tgt makes them, for the number of any target. */
const USUAL_ID = /^IET {5}[0-9a-f]{8,}$/;
const USUAL_SN = /^beaf[0-9]+$/;

/**
 * A disk that is there keeps what hosts know it by, unless other words for it are said: a target that was taken over from tgt may have another number
 * than it had there, and disks that are called after that one.
 */
function withOldIds(lun: LunConfig, old: TargetConfig, wanted: TgtTargetDocument): LunConfig {
  const before = old.luns.find((one) => isSameDisk(one, lun))?.tgt ?? null;
  if (lun.tgt === null || before === null) return lun;
  const params = wanted.luns.find((one) => one.lun === lun.lun)?.params ?? [];
  const says = (key: string): boolean =>
    params.some((param) => param.split(",").some((part) => part.startsWith(`${key}=`)));
  const keepsId = USUAL_ID.test(before.scsiId) && !says("scsi_id");
  const keepsSn = USUAL_SN.test(before.scsiSn) && !says("scsi_sn");
  return {
    ...lun,
    tgt: {
      ...lun.tgt,
      ...(keepsId ? { scsiId: before.scsiId } : {}),
      ...(keepsSn ? { scsiSn: before.scsiSn } : {}),
    },
  };
}

/** Makes an account, or gives it another password wherever it is. */
async function putAccount(scratch: TgtScratch, account: TgtAccountDocument): Promise<void> {
  // What is no UTF-8 is refused as a request of its own below.
  const user = utf8Text(account.user) ?? account.user;
  const password =
    account.password === null ? null : (utf8Text(account.password) ?? account.password);
  const { all, config } = scratch.view;
  const old = all.accounts.find((one) => one.user === user);
  if (password === null) {
    if (old !== undefined) return;
    throw new OperationError("invalid", `the password of account ${user} is not known`);
  }
  if (old === undefined) {
    await scratch.run(accountRequest(account));
    return;
  }
  if (isDeepStrictEqual(old.secret, new Secret(password))) return;
  if (config.accounts.some((one) => one.user === user)) {
    throw new OperationError(
      "foreign",
      `account ${user} is in the configuration with another password: change it there`,
    );
  }
  // Tries the password, too.
  const before = scratch.inventory;
  const others = before.accounts.filter((one) => one !== old);
  scratch.inventory = { ...before, accounts: others };
  await scratch.run(accountRequest(account));
  const made = scratch.inventory.accounts.find((one) => one.user === user) ?? old;
  scratch.inventory = withOtherSecrets(before, [{ before: old, after: made }]);
}

async function putDiscovery(
  scratch: TgtScratch,
  { incoming, outgoing }: NonNullable<TgtApplyArguments["wanted"]["discovery"]>,
): Promise<void> {
  const before: DiscoveryConfig = scratch.view.all.discovery;
  const old = scratch.inventory.discovery;
  const discovery = { ...before, authentication: null };
  scratch.inventory = { ...scratch.inventory, discovery };
  for (const user of incoming) await scratch.run(bindRequest(user, null, false));
  if (outgoing !== null) await scratch.run(bindRequest(outgoing, null, true));
  // What the configuration says already need not be said here.
  if (old === null && isDeepStrictEqual(scratch.inventory.discovery, before)) {
    scratch.inventory = { ...scratch.inventory, discovery: null };
  }
}

/** Volumes that nobody has named come and go with their units: those that were there are as they were, in their order. */
function withOldVolumes(before: Inventory, after: Inventory): Inventory {
  const isSame = (old: VolumeConfig, now: VolumeConfig): boolean =>
    isDeepStrictEqual(essence(old), essence(now));
  const order = [...before.volumes.keys()].filter((name) => after.volumes.has(name));
  const names = [...new Set([...order, ...after.volumes.keys()])];
  const volumes = names.flatMap((name) => {
    const [old, now] = [before.volumes.get(name), after.volumes.get(name)];
    if (now === undefined) return [];
    const kept = old !== undefined && isImplied(name) && isSame(old, now) ? old : now;
    return [[name, kept] as const];
  });
  return { ...after, volumes: new Map(volumes) };
}

/** What tgt's commands say of a volume: where it is, and how it is opened. */
function essence(volume: VolumeConfig): unknown {
  switch (volume.driver) {
    case "raw":
      return [volume.path, volume.direct];
    case "thin":
      return [volume.pool, volume.name];
    case "memory":
    case "null":
      return volume;
  }
}

/**
 * The inventory without the disks that are replaced by others under their numbers while initiators are logged in, and without those
 * whose volume is opened in another way; null where there are none.
 */
function withoutReplaced(
  before: Inventory,
  after: Inventory,
  hasSessions: (target: string) => boolean,
): Inventory | null {
  const reopened = new Set(
    [...after.volumes].flatMap(([name, now]) => {
      const old = before.volumes.get(name);
      return old === undefined || isDeepStrictEqual(essence(old), essence(now)) ? [] : [name];
    }),
  );
  const goes = (target: TargetConfig, lun: LunConfig): boolean => {
    if (reopened.has(lun.volume)) return true;
    const old = before.targets.find(({ name }) => name === target.name);
    const own = old?.luns.find((one) => one.lun === lun.lun);
    return own !== undefined && !isSameDisk(own, lun) && hasSessions(target.name);
  };
  const targets = after.targets.map((target) => {
    return { ...target, luns: target.luns.filter((lun) => !goes(target, lun)) };
  });
  if (isDeepStrictEqual(targets, after.targets)) return null;
  const used = new Set(targets.flatMap(({ luns }) => luns.map(({ volume }) => volume)));
  const volumes = [...after.volumes].filter(([name]) => {
    return !reopened.has(name) && (!isImplied(name) || used.has(name));
  });
  return { ...after, targets, volumes: new Map(volumes) };
}
