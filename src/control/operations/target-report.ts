import { UNIT_SETTINGS_DEFAULTS } from "../../scsi/unit-settings.ts";
import type { LunConfig, TargetConfig } from "../config/config.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import {
  type LunReport,
  type LunSettings,
  OperationError,
  type TargetReport,
} from "../protocol.ts";
import type { OperatedDaemon } from "./operated-daemon.ts";

/** How many initiators are logged in to a target. */
export function sessionCountOf({ server }: OperatedDaemon, target: string): number {
  return [...server.sessions].filter((session) => session.target.name === target).length;
}

export function describeLun(daemon: OperatedDaemon, target: string, lun: LunConfig): LunReport {
  const config = daemon.plane.view.all.volumes.get(lun.volume);
  const volume = daemon.volumes.volumes.get(lun.volume)?.volume;
  return {
    target,
    lun: lun.lun,
    volume: lun.volume,
    driver: config?.driver ?? null,
    sizeBytes: volume?.capacityBytes ?? null,
    uuid: volume?.uuid ?? null,
    blockBytes: lun.blockBytes,
    readOnly: lun.readOnly || (config?.readOnly ?? false),
    online: lun.settings.online ?? true,
    ...describeSettings(lun),
  };
}

/** How it is described to initiators. */
function describeSettings({ identity, settings }: LunConfig): LunSettings {
  const { readOnly: _, online: __, ...defaults } = UNIT_SETTINGS_DEFAULTS;
  const { online: ___, ...said } = settings;
  const { vendor = null, product = null, revision = null, serial = null } = identity;
  return { vendor, product, revision, serial, ...defaults, ...said };
}

export function describeTarget(daemon: OperatedDaemon, target: TargetConfig): TargetReport {
  const { name, alias, state, portalGroups, sessionsMax, offers, redirect, access } = target;
  const { authentication, pings } = target;
  const { inventory } = daemon.plane.view;
  const isMade = inventory.targets.some((one) => one.name === name);
  return {
    name,
    alias,
    tid: target.tid ?? 0,
    origin: isMade ? "command" : "configuration",
    state,
    luns: target.luns.map((lun) => describeLun(daemon, name, lun)),
    access: {
      addresses: access.addresses,
      initiators: access.initiatorNames,
      match: access.match,
    },
    authentication:
      authentication === null
        ? null
        : {
            users: authentication.accounts.map(({ user }) => user),
            mutual: authentication.mutual?.user ?? null,
            mutualRequired: authentication.mutualRequired,
          },
    portalGroups,
    redirect:
      redirect === null
        ? null
        : { address: formatEndpoint(redirect), permanent: redirect.permanent },
    pings: { interval: pings.intervalSeconds ?? null, count: pings.count ?? null },
    sessionsMax,
    sessionCount: sessionCountOf(daemon, name),
    parameters: {
      headerDigest: offers.headerDigest,
      dataDigest: offers.dataDigest,
      maxRecvDataSegmentLength: offers.maxRecvDataSegmentLengthBytes,
      maxBurstLength: offers.maxBurstLengthBytes,
      firstBurstLength: offers.firstBurstLengthBytes,
      maxOutstandingR2T: offers.maxOutstandingR2t,
      initialR2T: offers.initialR2t,
      immediateData: offers.immediateData,
      defaultTime2Wait: offers.defaultTime2WaitSeconds,
      defaultTime2Retain: offers.defaultTime2RetainSeconds,
    },
  };
}

/** A target as it is by now. Errors: missing: another change came after the one that is told of. */
export function describeNamed(daemon: OperatedDaemon, name: string): TargetReport {
  const target = daemon.plane.view.all.targets.find((one) => one.name === name);
  if (target === undefined) throw new OperationError("missing", `target ${name} is gone again`);
  return describeTarget(daemon, target);
}
