import { AccessList } from "../iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../iscsi/auth/authentication-policy.ts";
import type { IscsiServer } from "../iscsi/server.ts";
import { IscsiTarget, type IscsiTargetSettings } from "../iscsi/target.ts";
import type { LogicalUnit } from "../scsi/logical-unit.ts";
import { DepartedInitiators } from "../scsi/departed-initiators.ts";
import { DEPARTED_MS_MAX } from "../scsi/limits.ts";
import { initiatorOf } from "../scsi/nexus.ts";
import { diskName, TargetDevice } from "../scsi/target-device.ts";
import { assert } from "../util/assert.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { authenticationRules } from "./config/authentication-rules.ts";
import type { LunConfig, TargetConfig } from "./config/config.ts";
import { changeUnit, type UnitTarget, Units } from "./units.ts";
import type { OpenVolume } from "./volume-store.ts";

const MS_PER_SECOND = 1000;

/** What the targets are put together from. */
export interface ExportsOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly server: IscsiServer;
  readonly volumes: ReadonlyMap<string, OpenVolume>;
  /** How long initiators that are asked to log out of a target that is removed may take. */
  readonly logoutGraceMs: number;
}

/** The settings of a target that apply to the logins to come. */
export function targetSettings(config: TargetConfig): IscsiTargetSettings {
  return {
    alias: config.alias,
    access: new AccessList(config.access),
    authentication: new AuthenticationPolicy(authenticationRules(config.authentication)),
    portalGroupTags: config.portalGroups,
    redirect: config.redirect,
    state: config.state,
    offers: config.offers,
    pings: config.pings,
    maxSessions: config.sessionsMax,
  };
}

/** A target that was added. */
interface Exported {
  readonly device: TargetDevice;
  config: UnitTarget;
}

/** The targets of the daemon and their logical units. One volume is one logical unit, under however many LUNs. */
export class Exports {
  readonly #options: ExportsOptions;
  readonly #units: Units;
  readonly #targets = new Map<string, Exported>();
  /** Of targets that were removed and whose sessions have not ended. */
  readonly #leaving = new Set<TargetDevice>();
  /** By target, also of those that are not there any more. */
  readonly #departed = new Map<string, DepartedInitiators>();

  constructor(options: ExportsOptions) {
    this.#options = options;
    this.#units = new Units(options.log, options.clock);
  }

  /** Makes a target with its LUNs and hands it to the server. LUNs without a volume are left out. */
  add(config: TargetConfig): void {
    const { log, server } = this.#options;
    const device = new TargetDevice(config.name, this.#departedFrom(config.name));
    const target = { device, config };
    this.#targets.set(config.name, target);
    if (config.tgt !== null) device.attach(0, this.#units.makeController(config));
    for (const lun of config.luns) this.#attach(target, lun);
    server.addTarget(new IscsiTarget(config.name, device, targetSettings(config)));
    const fields = { target: config.name, luns: [...device.units.keys()] };
    log.info(
      { ...fields, chap: config.authentication !== null },
      config.redirect === null ? "target is ready" : "target redirects",
    );
  }

  #find(name: string): Exported {
    const target = this.#targets.get(name);
    assert(target !== undefined, "the target is there");
    return target;
  }

  /** Attaches a LUN to a target that was added; initiators that are there are told. False where its volume is not open. */
  addLun(target: string, config: LunConfig): boolean {
    const exported = this.#find(target);
    const isThere = this.#attach(exported, config);
    const fields = { target, lun: config.lun, volume: config.volume };
    if (isThere) this.#options.log.info(fields, "LUN added");
    return isThere;
  }

  /**
   * Initiators that know another disk under the number of this LUN, there or taken away, in words: they would write what they know of that
   * one to this one. Also those that have lost their session lately: they come back by themselves. None where the volume is not open: nobody
   * can tell yet.
   */
  strangersTo(target: string, { lun, volume: name, blockBytes }: LunConfig): readonly string[] {
    const volume = this.#options.volumes.get(name)?.volume;
    if (volume === undefined) return [];
    const disk = diskName(volume.uuid, blockBytes);
    const here = this.#targets.get(target)?.device.strangersTo(lun, disk) ?? [];
    const away = this.#departedFrom(target).all.filter(
      ({ met }) => (met.get(lun) ?? disk) !== disk,
    );
    const nowMs = this.#options.clock.nowMs();
    const awayInWords = away.map(({ port, sinceMs }) => {
      const seconds = Math.ceil((sinceMs + DEPARTED_MS_MAX - nowMs) / MS_PER_SECOND);
      return `${initiatorOf(port)}, which has lost its session and may come back within ${seconds} s`;
    });
    return [...here, ...awayInWords];
  }

  /** Who has lost a session to a target of this name. */
  #departedFrom(target: string): DepartedInitiators {
    const known = this.#departed.get(target);
    if (known !== undefined) return known;
    const used = new Set([
      ...this.#targets.keys(),
      ...Array.from(this.#leaving, ({ name }) => name),
    ]);
    for (const [name, { all }] of this.#departed) {
      if (all.length === 0 && !used.has(name)) this.#departed.delete(name);
    }
    const departed = new DepartedInitiators(this.#options.clock);
    this.#departed.set(target, departed);
    return departed;
  }

  /**
   * Whether initiators that are logged in have met another disk under the number of this LUN, there or taken away. They would write what
   * they know of that one to this one. False where the volume is not open: nobody can tell yet.
   */
  isMetAsAnother(target: string, config: LunConfig): boolean {
    return this.strangersTo(target, config).length > 0;
  }

  /**
   * Takes a LUN away; initiators that are there are told. Resolves when no command uses its volume any more, by this LUN at least.
   */
  async removeLun(target: string, lun: number): Promise<void> {
    const detached = this.#detach(this.#find(target).device, lun);
    this.#options.log.info({ target, lun }, "LUN removed");
    await detached;
  }

  /** Forgets a target with its LUNs, and ends its sessions. Resolves when nothing of theirs is running any more. */
  async remove(target: string): Promise<void> {
    const { device } = this.#find(target);
    this.#targets.delete(target);
    this.#leaving.add(device);
    for (const unit of device.units.values()) this.#forgetUnused(unit);
    await this.#options.server.removeTarget(target, this.#options.logoutGraceMs);
    await Promise.all([...device.units.keys()].map((lun) => this.#detach(device, lun)));
    this.#leaving.delete(device);
    this.#options.log.info({ target }, "target removed");
  }

  /** Takes up the settings of a target that was added, apart from its LUNs, for the logins to come. */
  configure(config: TargetConfig): void {
    const target = this.#options.server.targets.get(config.name);
    assert(target !== undefined, "a target that is configured is there");
    target.configure(targetSettings(config));
    this.#find(config.name).config = config;
    this.#options.log.info({ target: config.name }, "target changed, for the logins to come");
  }

  async #detach(device: TargetDevice, lun: number): Promise<void> {
    const unit = device.units.get(lun);
    if (unit === undefined) return;
    const gone = new Promise<void>((resolve) => device.detach(lun, resolve));
    this.#forgetUnused(unit);
    await gone;
    const devices = [...this.#leaving, ...[...this.#targets.values()].map((one) => one.device)];
    if (devices.some(({ units }) => [...units.values()].includes(unit))) return;
    unit.close();
  }

  /** A unit that only leaves, which takes as long as its I/O hangs, is given to nobody else. */
  #forgetUnused(unit: LogicalUnit): void {
    const devices = [...this.#targets.values()].map((one) => one.device);
    if (devices.some(({ units }) => [...units.values()].includes(unit))) return;
    this.#units.forget(unit);
  }

  #attach({ device, config: target }: Exported, config: LunConfig): boolean {
    const opened = this.#options.volumes.get(config.volume);
    const fields = { target: device.name, lun: config.lun, volume: config.volume };
    if (opened === undefined) {
      this.#options.log.warn(fields, "LUN left out: its volume is not open");
      return false;
    }
    const unit = this.#units.take(target, config, opened.volume);
    if (unit === null) {
      this.#options.log.error(fields, "LUN left out: another LUN has its volume with other blocks");
      return false;
    }
    device.attach(config.lun, unit);
    return true;
  }

  /** Takes up what of the configuration of LUNs can change while initiators are there: settings, and with tgt's targets, names. */
  refresh(targets: readonly TargetConfig[]): void {
    for (const target of targets) {
      for (const lun of target.luns) {
        const unit = this.#targets.get(target.name)?.device.units.get(lun.lun);
        // One that was left out, or that is to be another disk only later, says nothing of what is there.
        const isThere = unit?.volume === this.#options.volumes.get(lun.volume)?.volume;
        if (unit === undefined || !isThere || !changeUnit(unit, target, lun)) continue;
        const { volume, readOnly, settings } = lun;
        this.#options.log.info({ volume, readOnly, ...settings }, "logical unit changed");
      }
    }
  }

  /** A volume has another name; its unit, and whoever uses that, stay as they are. */
  rename(volume: string, after: string): void {
    this.#units.rename(volume, after);
  }

  /** Lets go of the volumes, once no session is there any more. */
  close(): void {
    this.#units.close();
  }
}
