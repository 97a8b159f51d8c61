import { isDeepStrictEqual } from "node:util";
import type { Config, LunConfig, TargetConfig, VolumeConfig } from "../config/config.ts";

/** What of a configuration can be brought into effect while the daemon runs. */
export interface Reachable {
  /** As it is to be now. */
  readonly config: Config;
  /** What has to wait for a restart, in words. */
  readonly waiting: readonly string[];
}

/** Parts that are fixed while the daemon runs, by the names that they have in the file. */
const FIXED = ["stateDir", "log", "poll", "portals", "pools", "discovery", "limits"] as const;

/** A volume's settings apart from its size, which follows the configuration. */
function fixedVolume(volume: VolumeConfig): unknown {
  return { ...volume, sizeBytes: null };
}

/** A LUN apart from its settings, which follow the configuration. */
function fixedLun(lun: LunConfig): unknown {
  return { ...lun, readOnly: false, settings: null };
}

/**
 * What of a configuration that was read again is in effect without a restart: nobody whose disk stays notices anything but what is meant.
 *
 * @param running what is in effect, and there
 * @param elsewhere targets that the configuration has nothing to do with: their volumes stay open
 */
export function reachable(
  wanted: Config,
  running: Config,
  elsewhere: readonly TargetConfig[],
): Reachable {
  const waiting: string[] = FIXED.filter((key) => !isDeepStrictEqual(wanted[key], running[key]));
  const volumes = new Map(wanted.volumes);
  for (const [name, before] of running.volumes) {
    const now = wanted.volumes.get(name);
    if (now === undefined || isDeepStrictEqual(fixedVolume(now), fixedVolume(before))) continue;
    volumes.set(name, before);
    waiting.push(`volume ${name}`);
  }
  const targets = wanted.targets.map((now) => {
    const before = running.targets.find(({ name }) => name === now.name);
    if (before === undefined) return now;
    // One that becomes one of tgt, or ceases to be one, is another one.
    if ((before.tgt === null) === (now.tgt === null)) {
      return { ...now, luns: reachableLuns(now, before, waiting) };
    }
    waiting.push(`target ${now.name}`);
    return before;
  });
  for (const { volume } of [...targets, ...elsewhere].flatMap(({ luns }) => luns)) {
    const before = running.volumes.get(volume);
    if (before !== undefined && !volumes.has(volume)) volumes.set(volume, before);
  }
  const { http, accounts } = wanted;
  return { config: { ...running, volumes, targets, http, accounts }, waiting };
}

/**
 * A number that is to be another disk, or the same with other blocks, stays what it is: initiators that are logged in do not look again,
 * and would write to the new disk what they know of the old one.
 */
function reachableLuns(
  now: TargetConfig,
  before: TargetConfig,
  waiting: string[],
): readonly LunConfig[] {
  const staying = before.luns.filter(({ lun }) => now.luns.some((other) => other.lun === lun));
  return now.luns.flatMap((lun) => {
    const known = staying.find((other) => other.lun === lun.lun);
    if (known !== undefined && isDeepStrictEqual(fixedLun(known), fixedLun(lun))) return [lun];
    // A unit has one LUN in a target, and this one would have to leave the other first.
    const isTaken = known === undefined && staying.some(({ volume }) => volume === lun.volume);
    if (known === undefined && !isTaken) return [lun];
    waiting.push(`LUN ${lun.lun} of ${now.name}`);
    return known === undefined ? [] : [known];
  });
}
