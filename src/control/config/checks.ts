import { accessProblems } from "../../iscsi/auth/access-list.ts";
import { authenticationProblems } from "../../iscsi/auth/authentication-policy.ts";
import { defaultTargetSettings, targetProblems } from "../../iscsi/target.ts";
import { authenticationRules } from "./authentication-rules.ts";
import type {
  AccountConfig,
  AuthenticationConfig,
  Config,
  LunConfig,
  PoolConfig,
  PortalConfig,
  TargetConfig,
  VolumeConfig,
} from "./config.ts";
import { formatEndpoint } from "./endpoint.ts";
import { nearest } from "./nearest.ts";
import { pathOf, type Report } from "./report.ts";

/** Checks what one part of the configuration says about another. Parts that have problems of their own are left out. */
export function checkTogether(config: Partial<Config>, report: Report): void {
  const volumes = config.volumes ?? new Map<string, VolumeConfig>();
  const targets = config.targets ?? [];
  const pools = config.pools ?? new Map<string, PoolConfig>();
  checkVolumes(volumes, report);
  checkPools(pools, volumes, report);
  if (config.portals !== undefined) checkPortals(config.portals, report);
  checkTargetNames(targets, report);
  checkAccounts(config.accounts ?? [], report);
  const portalsAreKnown = config.portals !== undefined && !report.hasProblems("portals");
  for (const target of targets) {
    checkTarget(target, report);
    if (portalsAreKnown) checkPortalGroups(target, config.portals ?? [], report);
  }
  checkLuns(targets, report);
  if (config.discovery !== undefined) {
    checkAuthentication(config.discovery.authentication, "discovery.auth", report);
  }
  checkSecretsOfBothDirections(targets, config.discovery?.authentication ?? null, report);
  warnAboutUnused(volumes, targets, report);
}

function checkVolumes(volumes: ReadonlyMap<string, VolumeConfig>, report: Report): void {
  const nameOfPath = new Map<string, string>();
  const nameOfUuid = new Map<string, string>();
  for (const [name, volume] of volumes) {
    const place = pathOf("volumes", name);
    if (volume.driver === "raw") {
      const other = nameOfPath.get(volume.path);
      if (other !== undefined) report.problem(place, `"${other}" has the same path ${volume.path}`);
      nameOfPath.set(volume.path, name);
    }
    if (volume.uuid === null) continue;
    const other = nameOfUuid.get(volume.uuid);
    if (other !== undefined) report.problem(place, `"${other}" has the same uuid`);
    nameOfUuid.set(volume.uuid, name);
  }
}

/** A file or device belongs to one pool, or to one volume. */
function checkPools(
  pools: ReadonlyMap<string, PoolConfig>,
  volumes: ReadonlyMap<string, VolumeConfig>,
  report: Report,
): void {
  const ownerOfPath = new Map<string, string>();
  for (const [name, volume] of volumes) {
    if (volume.driver === "raw") ownerOfPath.set(volume.path, `the volume "${name}"`);
  }
  for (const [name, { devices, autogrow }] of pools) {
    for (const path of [...devices, ...(autogrow?.spares ?? [])]) {
      const other = ownerOfPath.get(path);
      if (other !== undefined) {
        report.problem(pathOf("pools", name), `the device ${path} is also in ${other}`);
      }
      ownerOfPath.set(path, `the pool "${name}"`);
    }
  }
  const names = report.namesAt("pools");
  const used = new Set<string>();
  for (const [name, volume] of volumes) {
    if (volume.driver !== "thin") continue;
    used.add(volume.pool);
    if (names.includes(volume.pool)) continue;
    const meant = nearest(volume.pool, names);
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    const place = pathOf(pathOf("volumes", name), "pool");
    report.problem(place, `there is no pool "${volume.pool}"${hint}`);
  }
  for (const name of names) {
    if (!used.has(name)) report.warning(pathOf("pools", name), "no volume is in it");
  }
}

const WILDCARDS = new Set(["0.0.0.0", "::"]);

/** Whether two portals want the same socket. A wildcard takes the port of every address of its family. */
export function collide(left: PortalConfig, right: PortalConfig): boolean {
  if (left.listen.port === 0 || left.listen.port !== right.listen.port) return false;
  const [one, other] = [left.listen.address, right.listen.address];
  if (one === other) return true;
  const sameFamily = one.includes(":") === other.includes(":");
  return sameFamily && (WILDCARDS.has(one) || WILDCARDS.has(other));
}

function checkPortals(portals: readonly PortalConfig[], report: Report): void {
  for (const [index, portal] of portals.entries()) {
    const other = portals.slice(0, index).find((earlier) => collide(earlier, portal));
    if (other === undefined) continue;
    const where = report.lineOf(report.placeOf(other));
    const listen = formatEndpoint(other.listen);
    report.problem(report.placeOf(portal), `listens where ${listen} (${where}) listens already`);
  }
}

function checkTargetNames(targets: readonly TargetConfig[], report: Report): void {
  const byName = new Map<string, TargetConfig>();
  for (const target of targets) {
    const other = byName.get(target.name);
    byName.set(target.name, target);
    if (other === undefined) continue;
    const where = report.lineOf(report.placeOf(other));
    report.problem(
      pathOf(report.placeOf(target), "name"),
      `"${target.name}" is also the name of the target on ${where}`,
    );
  }
}

/** Which of two secrets an account has is not for a program to guess. */
function checkAccounts(accounts: readonly AccountConfig[], report: Report): void {
  const byUser = new Map<string, AccountConfig>();
  for (const account of accounts) {
    const other = byUser.get(account.user);
    byUser.set(account.user, account);
    if (other === undefined) continue;
    const where = report.lineOf(report.placeOf(other));
    report.problem(
      report.placeOf(account),
      `there is an account "${account.user}" on ${where}, too`,
    );
  }
}

function checkTarget(target: TargetConfig, report: Report): void {
  const place = report.placeOf(target);
  const settings = {
    ...defaultTargetSettings(),
    alias: target.alias,
    portalGroupTags: target.portalGroups,
    redirect: target.redirect,
    offers: target.offers,
    pings: target.pings,
    maxSessions: target.sessionsMax,
  };
  for (const message of targetProblems(settings)) report.problem(place, message);
  for (const message of accessProblems(target.access)) {
    report.problem(pathOf(place, "allow"), message);
  }
  checkAuthentication(target.authentication, pathOf(place, "auth"), report);
  const isTgt = target.tgt !== null || target.luns.some(({ tgt }) => tgt !== null);
  if (isTgt && target.tid === null) {
    report.problem(place, 'is as tgt makes targets, of which disks are named by its "tid": say it');
  }
  if (target.tgt !== null && target.luns.some(({ lun }) => lun === 0)) {
    report.problem(place, "has a controller as LUN 0, as tgt's targets have: begin with LUN 1");
  }
}

function checkAuthentication(
  authentication: AuthenticationConfig | null,
  place: string,
  report: Report,
): void {
  for (const message of authenticationProblems(authenticationRules(authentication))) {
    report.problem(place, message);
  }
}

/**
 * A secret proves either initiators or targets, over the whole configuration (RFC 7143 12.1.3): otherwise whoever may
 * log in to one target could have it compute the answer that lets him in to another one as somebody else.
 */
function checkSecretsOfBothDirections(
  targets: readonly TargetConfig[],
  discovery: AuthenticationConfig | null,
  report: Report,
): void {
  const all = targets.map(({ authentication }) => authentication).concat(discovery);
  for (const { mutual } of all.filter((one) => one !== null)) {
    if (mutual === null) continue;
    for (const other of all) {
      // Within one target, the rules of the login have it.
      if (other === null || other.mutual === mutual) continue;
      const shared = other.accounts.find(
        ({ secret }) => secret.fingerprint === mutual.secret.fingerprint,
      );
      if (shared === undefined) continue;
      const where = report.lineOf(report.placeOf(shared));
      report.problem(
        report.placeOf(mutual),
        `has the secret of the account "${shared.user}" on ${where}: one that initiators use must not be a target's`,
      );
    }
  }
}

function checkPortalGroups(
  target: TargetConfig,
  portals: readonly PortalConfig[],
  report: Report,
): void {
  const groups = [...new Set(portals.map(({ group }) => group))];
  for (const group of target.portalGroups) {
    if (groups.includes(group)) continue;
    const place = pathOf(report.placeOf(target), "portalGroups");
    report.problem(place, `no portal is in group ${group}; there are ${groups.join(", ")}`);
  }
}

/** One volume is one logical unit, however many targets lead to it, so all of them have to describe it alike. */
function checkLuns(targets: readonly TargetConfig[], report: Report): void {
  const names = report.namesAt("volumes");
  const firstOfVolume = new Map<string, LunConfig>();
  for (const target of targets) {
    const byNumber = new Map<number, LunConfig>();
    const volumesHere = new Set<string>();
    for (const lun of target.luns) {
      const place = report.placeOf(lun);
      const twin = byNumber.get(lun.lun);
      byNumber.set(lun.lun, lun);
      if (twin !== undefined) {
        const where = report.lineOf(report.placeOf(twin));
        report.problem(pathOf(place, "lun"), `LUN ${lun.lun} is also on ${where}`);
      }
      if (!names.includes(lun.volume)) {
        report.problem(pathOf(place, "volume"), unknownVolume(lun.volume, names));
        continue;
      }
      if (volumesHere.has(lun.volume) && lun.tgt === null) {
        report.problem(pathOf(place, "volume"), `"${lun.volume}" has a LUN in this target already`);
      }
      volumesHere.add(lun.volume);
      // tgt has a unit for each LUN, each with an identity of its own.
      if (lun.tgt !== null) continue;
      const first = firstOfVolume.get(lun.volume) ?? lun;
      firstOfVolume.set(lun.volume, first);
      if (!describedAlike(first, lun)) {
        const where = report.lineOf(report.placeOf(first));
        report.problem(place, `"${lun.volume}" is described in another way on ${where}`);
      }
    }
  }
}

function describedAlike(left: LunConfig, right: LunConfig): boolean {
  const description = ({ blockBytes, readOnly, identity, settings }: LunConfig): string =>
    JSON.stringify([blockBytes, readOnly, identity, settings]);
  return description(left) === description(right);
}

function unknownVolume(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return `there is no volume "${name}"${hint}`;
}

function warnAboutUnused(
  volumes: ReadonlyMap<string, VolumeConfig>,
  targets: readonly TargetConfig[],
  report: Report,
): void {
  const used = new Set(targets.flatMap(({ luns }) => luns.map(({ volume }) => volume)));
  for (const name of volumes.keys()) {
    if (!used.has(name)) report.warning(pathOf("volumes", name), "no target has a LUN for it");
  }
}
