import { AccessList } from "../iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../iscsi/auth/authentication-policy.ts";
import type { IscsiServer } from "../iscsi/server.ts";
import { IscsiTarget, type IscsiTargetSettings } from "../iscsi/target.ts";
import { LogicalUnit } from "../scsi/logical-unit.ts";
import { TargetDevice } from "../scsi/target-device.ts";
import { assert } from "../util/assert.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Volume } from "../volume/volume.ts";
import { authenticationRules } from "./config/authentication-rules.ts";
import type { LunConfig, TargetConfig } from "./config/config.ts";
import { VolumeFaults } from "./volume-faults.ts";
import type { OpenVolume } from "./volume-store.ts";

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
    state: "ready",
    offers: config.offers,
    maxSessions: config.sessionsMax,
  };
}

/** The targets of the daemon and their logical units. One volume is one logical unit, under however many LUNs. */
export class Exports {
  readonly #options: ExportsOptions;
  readonly #faults: VolumeFaults;
  readonly #unitOfVolume = new Map<string, LogicalUnit>();
  readonly #deviceOfTarget = new Map<string, TargetDevice>();

  constructor(options: ExportsOptions) {
    this.#options = options;
    this.#faults = new VolumeFaults(options.log, options.clock);
  }

  /** Makes a target with its LUNs and hands it to the server. LUNs without a volume are left out. */
  add(config: TargetConfig): void {
    const { log, server } = this.#options;
    const device = new TargetDevice(config.name);
    this.#deviceOfTarget.set(config.name, device);
    for (const lun of config.luns) this.attach(device, lun);
    server.addTarget(new IscsiTarget(config.name, device, targetSettings(config)));
    const fields = { target: config.name, luns: [...device.units.keys()] };
    log.info(
      { ...fields, chap: config.authentication !== null },
      config.redirect === null ? "target is ready" : "target redirects",
    );
  }

  /** Attaches a LUN to a target that was added; initiators that are there are told. False where its volume is not open. */
  addLun(target: string, config: LunConfig): boolean {
    const device = this.#deviceOfTarget.get(target);
    assert(device !== undefined, "a LUN is added to a target that is there");
    this.attach(device, config);
    const isThere = device.units.has(config.lun);
    const fields = { target, lun: config.lun, volume: config.volume };
    if (isThere) this.#options.log.info(fields, "LUN added");
    return isThere;
  }

  /**
   * Takes a LUN away; initiators that are there are told. Resolves when no command uses its volume any more, by this LUN at least.
   */
  async removeLun(target: string, lun: number): Promise<void> {
    const device = this.#deviceOfTarget.get(target);
    assert(device !== undefined, "a LUN is taken from a target that is there");
    const detached = this.#detach(device, lun);
    this.#options.log.info({ target, lun }, "LUN removed");
    await detached;
  }

  /** Forgets a target with its LUNs, and ends its sessions. Resolves when nothing of theirs is running any more. */
  async remove(target: string): Promise<void> {
    const device = this.#deviceOfTarget.get(target);
    assert(device !== undefined, "a target that is removed is there");
    this.#deviceOfTarget.delete(target);
    await this.#options.server.removeTarget(target, this.#options.logoutGraceMs);
    for (const lun of device.units.keys()) await this.#detach(device, lun);
    this.#options.log.info({ target }, "target removed");
  }

  /** Takes up the settings of a target that was added, apart from its LUNs, for the logins to come. */
  configure(config: TargetConfig): void {
    const target = this.#options.server.targets.get(config.name);
    assert(target !== undefined, "a target that is configured is there");
    target.configure(targetSettings(config));
    this.#options.log.info({ target: config.name }, "target changed, for the logins to come");
  }

  async #detach(device: TargetDevice, lun: number): Promise<void> {
    const unit = device.units.get(lun);
    if (unit === undefined) return;
    await new Promise<void>((resolve) => device.detach(lun, resolve));
    const devices = [...this.#deviceOfTarget.values()];
    if (devices.some(({ units }) => [...units.values()].includes(unit))) return;
    for (const [volume, other] of this.#unitOfVolume) {
      if (other === unit) this.#unitOfVolume.delete(volume);
    }
    unit.close();
  }

  attach(device: TargetDevice, config: LunConfig): void {
    const opened = this.#options.volumes.get(config.volume);
    if (opened === undefined) {
      const fields = { target: device.name, lun: config.lun, volume: config.volume };
      this.#options.log.warn(fields, "LUN left out: its volume is not open");
      return;
    }
    device.attach(config.lun, this.#unitOf(config, opened.volume));
  }

  /** Takes up what of the configuration of a LUN can change while initiators are there: its write protection. */
  refresh(targets: readonly TargetConfig[]): void {
    for (const { volume, readOnly } of targets.flatMap(({ luns }) => luns)) {
      const unit = this.#unitOfVolume.get(volume);
      if (unit?.configure({ readOnly }) !== true) continue;
      this.#options.log.info({ volume, readOnly: unit.readOnly }, "write protection changed");
    }
  }

  #unitOf(config: LunConfig, volume: Volume): LogicalUnit {
    const existing = this.#unitOfVolume.get(config.volume);
    if (existing !== undefined) return existing;
    const { clock } = this.#options;
    const unit = new LogicalUnit({
      ...config.identity,
      volume,
      blockBytes: config.blockBytes,
      settings: { readOnly: config.readOnly },
      report: (report) => this.#faults.report(report),
      nowMs: () => clock.nowMs(),
    });
    this.#unitOfVolume.set(config.volume, unit);
    return unit;
  }

  /** Lets go of the volumes, once no session is there any more. */
  close(): void {
    for (const unit of this.#unitOfVolume.values()) unit.close();
    this.#unitOfVolume.clear();
  }
}
