import type { PingSettings } from "../../../iscsi/ping-watch.ts";
import type { LogicalUnit } from "../../../scsi/logical-unit.ts";
import { defaultScsiId, defaultScsiSn, SCSI_ID_CHARS_MAX } from "../show/identity.ts";
import type { ShownParameters, ShownRedirect } from "../show/show-parameters.ts";
import type { ShownAccounts, ShownNexus, ShownTarget, ShownUnit } from "../show/shown.ts";
import type {
  AuthenticationConfig,
  LunConfig,
  TargetConfig,
  VolumeConfig,
} from "../../config/config.ts";
import { SESSION_KEY_DEFAULTS } from "../defaults.ts";
import { decimalInt32 } from "../parameters.ts";
import { spelledName } from "../spelled-name.ts";
import { spelledAddresses } from "./access.ts";
import { sessionsOf } from "./find.ts";
import { NOP_COUNT, NOP_INTERVAL, pingsOf } from "./target-settings.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";

const CONTROLLER: Omit<ShownUnit, "lun" | "scsiId" | "scsiSn"> = {
  type: "controller",
  sizeBytes: 0,
  blockBytes: 1,
  online: true,
  removable: false,
  preventRemoval: false,
  readOnly: false,
  softwareWriteProtect: false,
  thinProvisioned: false,
  storeType: "null",
  storePath: undefined,
  storeFlags: "",
};

function controller(tid: number): ShownUnit {
  return { ...CONTROLLER, lun: 0, scsiId: defaultScsiId(tid, 0), scsiSn: defaultScsiSn(tid, 0) };
}

/** How tgt would call the store of a volume that it has not made. */
function storeOf(
  lun: LunConfig,
  volume: VolumeConfig | undefined,
): Pick<ShownUnit, "storeType" | "storePath" | "storeFlags"> {
  switch (volume?.driver) {
    case "raw":
      return { storeType: volume.direct ? "aio" : "rdwr", storePath: volume.path, storeFlags: "" };
    case "thin": {
      const { pool, name } = volume;
      return { storeType: "thin", storePath: `${pool}/${name ?? lun.volume}`, storeFlags: "" };
    }
    case "memory":
    case "null":
    case undefined:
      return { storeType: "null", storePath: undefined, storeFlags: "" };
  }
}

function shownUnit(
  lun: LunConfig,
  unit: LogicalUnit | undefined,
  volume: VolumeConfig | undefined,
): ShownUnit {
  const { tgt, settings } = lun;
  const hasMedium = tgt === null || tgt.storePath !== "";
  const store =
    tgt === null ? storeOf(lun, volume) : { ...tgt, storePath: tgt.storePath || undefined };
  const serial = (unit?.identity.serial ?? "").slice(0, SCSI_ID_CHARS_MAX);
  return {
    lun: lun.lun,
    type: "disk",
    scsiId: tgt?.scsiId ?? serial,
    scsiSn: tgt?.scsiSn ?? serial,
    sizeBytes: hasMedium ? (unit?.volume.capacityBytes ?? 0) : 0,
    blockBytes: lun.blockBytes,
    // A unit whose volume could not be opened is not there for initiators.
    online: unit !== undefined && (settings.online ?? true),
    removable: settings.removable ?? false,
    preventRemoval: unit?.removalPrevented ?? false,
    readOnly: lun.readOnly || (tgt === null && (unit?.effective.readOnly ?? false)),
    softwareWriteProtect: unit?.settings.softwareWriteProtect ?? false,
    thinProvisioned: settings.thinProvisioning ?? unit?.effective.thinProvisioning ?? false,
    storeType: store.storeType,
    storePath: store.storePath,
    storeFlags: store.storeFlags,
  };
}

export function shownAccounts(authentication: AuthenticationConfig | null): ShownAccounts {
  return {
    incoming: authentication?.accounts.map(({ user }) => user) ?? [],
    outgoing: authentication?.mutual?.user,
  };
}

/** The sessions of a target, the oldest first. */
export function shownNexuses({ server }: TgtDaemon, target: string): readonly ShownNexus[] {
  return sessionsOf(server, target).map(({ session, connection }) => {
    return {
      sid: session.sid,
      initiatorName: session.initiatorName,
      initiatorAlias: session.initiatorAlias ?? undefined,
      connections: [{ cid: session.connection?.cid ?? 0, address: connection.remoteAddress }],
    };
  });
}

/** What somebody has set: of the target, or with the options of the daemon. What tgtadm has set is shown as it came. */
function nopOf(
  { tgt, pings }: TargetConfig,
  usual: TgtDaemon["nopOptions"] = new Map(),
): Pick<ShownTarget, "nopIntervalSeconds" | "nopCount"> {
  const said = tgt?.settings ?? new Map<string, string>();
  const meant = pingsOf(said);
  const setting = (key: string, field: keyof PingSettings): number => {
    const text = meant[field] === pings[field] ? said.get(key) : undefined;
    return decimalInt32(text ?? String(pings[field] ?? usual.get(key) ?? ""));
  };
  return {
    nopIntervalSeconds: setting(NOP_INTERVAL, "intervalSeconds"),
    nopCount: setting(NOP_COUNT, "count"),
  };
}

export function shownTarget(daemon: TgtDaemon, target: TargetConfig): ShownTarget {
  const { name, state, authentication, access, luns, tgt } = target;
  const tid = target.tid ?? 0;
  const { volumes } = daemon.plane.view.all;
  const units = daemon.server.targets.get(name)?.device.units;
  const disks = luns.map((lun) => shownUnit(lun, units?.get(lun.lun), volumes.get(lun.volume)));
  const everybody = access.addresses.length === 0 && access.withoutAddresses === "allow";
  return {
    tid,
    name: spelledName(target),
    driver: "iscsi",
    state,
    ...nopOf(target, daemon.nopOptions),
    nexuses: shownNexuses(daemon, name),
    units: tgt === null ? disks : [controller(tid), ...disks],
    accounts: shownAccounts(authentication),
    addressRules: everybody ? ["ALL"] : spelledAddresses(target),
    nameRules: access.initiatorNames,
  };
}

function redirectOf({ tgt, redirect }: TargetConfig): ShownRedirect | undefined {
  const settings = tgt?.settings ?? new Map<string, string>();
  const program = settings.get("RedirectCallback");
  if (program !== undefined) return { to: "callback", program };
  const address = settings.get("RedirectAddress");
  if (address !== undefined && address !== "") {
    const port = settings.get("RedirectPort");
    const reason = settings.get("RedirectReason");
    const isPermanent = reason?.startsWith("Permanent") ?? false;
    return {
      to: "address",
      address,
      port,
      reason: reason === undefined ? undefined : isPermanent ? "Permanent" : "Temporary",
    };
  }
  if (redirect === null) return undefined;
  const reason = redirect.permanent ? "Permanent" : "Temporary";
  return { to: "address", address: redirect.address, port: String(redirect.port), reason };
}

/** What tgt's commands have set of a target's parameters; what they have not is as tgt has it. */
export function shownParameters(
  target: TargetConfig,
  nopOptions?: TgtDaemon["nopOptions"],
): ShownParameters {
  const given = [...(target.tgt?.settings ?? [])];
  const keys = given.filter(([key]) => Object.hasOwn(SESSION_KEY_DEFAULTS, key));
  return {
    ...nopOf(target, nopOptions),
    keys: Object.fromEntries(keys) as ShownParameters["keys"],
    redirect: redirectOf(target),
  };
}
