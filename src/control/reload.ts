import { isDeepStrictEqual } from "node:util";
import type { Log } from "../util/log.ts";
import type { Config, LunConfig, TargetConfig, VolumeConfig } from "./config/config.ts";
import type { Exports } from "./exports.ts";
import type { VolumeStore } from "./volume-store.ts";

export interface ReloadOptions {
  readonly log: Log;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  /** What is in effect: with what the daemon was started, and what earlier reloads have added. */
  readonly running: Config;
  readonly volumes: VolumeStore;
  readonly exports: Pick<Exports, "refresh" | "add" | "addLun">;
}

/** Parts that are fixed while the daemon runs, by the names that they have in the file. */
const FIXED = ["stateDir", "log", "poll", "portals", "pools", "discovery", "limits"] as const;

/** A volume's settings apart from its size, which follows the configuration. */
function fixedVolume(volume: VolumeConfig | undefined): unknown {
  return volume === undefined ? null : { ...volume, sizeBytes: null };
}

/** A LUN apart from its write protection, which follows the configuration. */
function fixedLun(lun: LunConfig | undefined): unknown {
  return lun === undefined ? null : { ...lun, readOnly: false };
}

/** What of a reload is done, and what needs a restart. */
interface Outcome {
  /** The configuration as it is in effect now, apart from what follows it by itself. */
  readonly running: Config;
  /** In words. */
  readonly waiting: readonly string[];
}

/**
 * What SIGHUP asks for: every volume takes up the size that its file, its device or the configuration has by now, every
 * LUN the write protection of the configuration; volumes, LUNs and targets that have come to it are there from now on, and
 * initiators are told. What else has changed in the configuration needs a restart, and the log says what.
 *
 * Resolves with the configuration that is in effect.
 */
export async function reload(options: ReloadOptions): Promise<Config> {
  const { log, load, running, volumes, exports } = options;
  let config: Config;
  try {
    config = load();
  } catch (error) {
    log.error({ error }, "the configuration has errors; the one in use stays");
    await volumes.refresh(running.volumes);
    return running;
  }
  exports.refresh(config.targets);
  await volumes.refresh(config.volumes);
  const opened = await addVolumes(options, config);
  const served = addTargets({ ...options, running: opened.running }, config);
  const fixed = FIXED.filter((key) => !isDeepStrictEqual(config[key], running[key]));
  const changed = [...fixed, ...opened.waiting, ...served.waiting];
  if (changed.length > 0) log.warn({ changed }, "some changes take effect after a restart only");
  log.info({}, "the configuration and the sizes of volumes were read again");
  return served.running;
}

/** Opens the volumes that are new. One that cannot be opened is tried again the next time. */
async function addVolumes(options: ReloadOptions, config: Config): Promise<Outcome> {
  const { log, running, volumes } = options;
  const known = new Map(running.volumes);
  const waiting: string[] = [];
  for (const [name, before] of running.volumes) {
    const now = config.volumes.get(name);
    if (isDeepStrictEqual(fixedVolume(now), fixedVolume(before))) continue;
    waiting.push(`volume ${name}${now === undefined ? " (removed)" : ""}`);
  }
  for (const [name, volume] of config.volumes) {
    if (known.has(name)) continue;
    try {
      await volumes.open(name, volume);
      if (volumes.volumes.has(name)) known.set(name, volume);
    } catch (error) {
      log.error({ volume: name, error }, "volume not added");
    }
  }
  return { running: { ...running, volumes: known }, waiting };
}

/** Makes the targets that are new, and attaches the LUNs that are new to those that were there. */
function addTargets(options: ReloadOptions, config: Config): Outcome {
  const { running, exports } = options;
  const waiting: string[] = [];
  const targets = running.targets.map((before) => {
    const now = config.targets.find(({ name }) => name === before.name);
    if (now === undefined) {
      waiting.push(`target ${before.name} (removed)`);
      return before;
    }
    if (!isDeepStrictEqual({ ...now, luns: [] }, { ...before, luns: [] })) {
      waiting.push(`target ${before.name}`);
    }
    return { ...before, luns: addLuns(options, before, now, waiting) };
  });
  for (const target of config.targets) {
    if (running.targets.some(({ name }) => name === target.name)) continue;
    exports.add(target);
    targets.push(target);
  }
  return { running: { ...running, targets }, waiting };
}

function addLuns(
  { exports }: ReloadOptions,
  before: TargetConfig,
  now: TargetConfig,
  waiting: string[],
): readonly LunConfig[] {
  for (const lun of before.luns) {
    const other = now.luns.find((candidate) => candidate.lun === lun.lun);
    if (isDeepStrictEqual(fixedLun(other), fixedLun(lun))) continue;
    const removed = other === undefined ? " (removed)" : "";
    waiting.push(`LUN ${lun.lun} of ${before.name}${removed}`);
  }
  const added = now.luns.filter((lun) => {
    if (before.luns.some((known) => known.lun === lun.lun)) return false;
    // A unit has one LUN in a target, and this one would have to leave the other first.
    if (before.luns.some((known) => known.volume === lun.volume)) {
      waiting.push(`LUN ${lun.lun} of ${before.name}`);
      return false;
    }
    return exports.addLun(before.name, lun);
  });
  return [...before.luns, ...added];
}
