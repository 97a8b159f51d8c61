import { isDeepStrictEqual } from "node:util";
import { controllerUnit } from "../scsi/controller-unit.ts";
import type { IdentityOptions } from "../scsi/identity.ts";
import { LogicalUnit } from "../scsi/logical-unit.ts";
import { UNIT_SETTINGS_DEFAULTS, type UnitSettings } from "../scsi/unit-settings.ts";
import { assert } from "../util/assert.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Volume } from "../volume/volume.ts";
import type { LunConfig, TargetConfig } from "./config/config.ts";
import {
  defaultScsiId,
  defaultScsiSn,
  designators,
  PRODUCT_DEFAULTS,
  REVISION_DEFAULT,
  serialNumberField,
  VENDOR_DEFAULT,
} from "./tgt/show/identity.ts";
import { VolumeFaults } from "./volume-faults.ts";

/** A target, as far as the identity of its units follows from it. */
export type UnitTarget = Pick<TargetConfig, "name" | "tid" | "tgt">;

/** What the units of tgt's targets are called by initiators, to the bit. */
function tgtIdentity(
  tid: number,
  lun: number,
  ids: { readonly scsiId: string; readonly scsiSn: string },
  product: string,
): IdentityOptions {
  return {
    vendor: VENDOR_DEFAULT,
    product,
    revision: REVISION_DEFAULT,
    serial: ids.scsiSn === "" ? " " : ids.scsiSn,
    serialField: serialNumberField(ids.scsiSn),
    designators: designators(tid, lun, ids.scsiId),
  };
}

/** How a LUN names its unit to initiators. */
export function identityOfLun({ tid }: UnitTarget, config: LunConfig): IdentityOptions {
  const { lun, identity, tgt } = config;
  if (tgt === null) return identity;
  assert(tid !== null, "a target of tgt has its number");
  return { ...tgtIdentity(tid, lun, tgt, PRODUCT_DEFAULTS.disk), ...identity };
}

/** All of them: one that is not said any more goes back to its default. */
function settingsOf({ readOnly, settings }: LunConfig): UnitSettings {
  return { ...UNIT_SETTINGS_DEFAULTS, ...settings, readOnly };
}

/** Takes up what of a LUN can change while initiators are there. Returns whether anything has. */
export function changeUnit(unit: LogicalUnit, target: UnitTarget, config: LunConfig): boolean {
  const { online, ...others } = settingsOf(config);
  // Who brings it online loads what was ejected, too; who changes something else does not.
  const isConfigured = unit.configure(
    online === unit.settings.online ? others : { ...others, online },
  );
  return unit.identify(identityOfLun(target, config)) || isConfigured;
}

/** By what a unit is found: that of a volume, or where each LUN is a unit of its own, that of the LUN. */
function keyOf(target: UnitTarget, { lun, volume, tgt }: LunConfig): string {
  return tgt === null ? volume : `${target.name} ${lun}`;
}

/** The logical units of the daemon's volumes. One volume is one unit under all its LUNs, except where tgt's targets have it. */
export class Units {
  readonly #clock: Clock;
  readonly #faults: VolumeFaults;
  readonly #units = new Map<string, LogicalUnit>();

  constructor(log: Log, clock: Clock) {
    this.#clock = clock;
    this.#faults = new VolumeFaults(log, clock);
  }

  /** The unit of a LUN; it is made where there is none. Null where initiators have that of the volume with other blocks. */
  take(target: UnitTarget, config: LunConfig, volume: Volume): LogicalUnit | null {
    const key = keyOf(target, config);
    const existing = this.#units.get(key);
    if (existing?.volume === volume) {
      return existing.blockBytes === config.blockBytes ? existing : null;
    }
    const unit = new LogicalUnit({
      ...identityOfLun(target, config),
      volume,
      blockBytes: config.blockBytes,
      settings: settingsOf(config),
      report: (report) => this.#faults.report(report),
      nowMs: () => this.#clock.nowMs(),
    });
    this.#units.set(key, unit);
    return unit;
  }

  /** The controller of a target as tgt makes them; its LUN is 0. */
  makeController({ name, tid }: UnitTarget): LogicalUnit {
    assert(tid !== null, "a target of tgt has its number");
    const ids = { scsiId: defaultScsiId(tid, 0), scsiSn: defaultScsiSn(tid, 0) };
    const identity = tgtIdentity(tid, 0, ids, PRODUCT_DEFAULTS.controller);
    return controllerUnit({ target: name, ...identity, nowMs: () => this.#clock.nowMs() });
  }

  /** Nobody gets this unit any more: what is under its LUN from now on is another one, however long this one takes to go. */
  forget(unit: LogicalUnit): void {
    for (const [key, other] of this.#units) {
      if (other === unit) this.#units.delete(key);
    }
  }

  /** The unit of a volume that has another name now. */
  rename(volume: string, after: string): void {
    const unit = this.#units.get(volume);
    if (unit === undefined) return;
    this.#units.delete(volume);
    this.#units.set(after, unit);
  }

  /** Lets go of the volumes, once no session is there any more. */
  close(): void {
    for (const unit of this.#units.values()) unit.close();
    this.#units.clear();
  }
}

/** Whether one LUN is another disk than the other for initiators that do not look again. */
export function isSameDisk(left: LunConfig, right: LunConfig): boolean {
  const fixed = ({ lun, volume, blockBytes, identity, tgt }: LunConfig): unknown => {
    // tgt has them changed on a unit that is there, and by nothing else.
    return { lun, volume, blockBytes, identity, ids: tgt === null ? null : tgt.storePath };
  };
  return isDeepStrictEqual(fixed(left), fixed(right));
}
