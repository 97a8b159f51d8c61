import { isDeepStrictEqual } from "node:util";
import type { Log } from "../util/log.ts";
import type { Config } from "./config/config.ts";
import type { Exports } from "./exports.ts";
import type { VolumeStore } from "./volume-store.ts";

export interface ReloadOptions {
  readonly log: Log;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  /** With what the daemon was started. */
  readonly running: Config;
  readonly volumes: VolumeStore;
  readonly exports: Pick<Exports, "refresh">;
}

/** Parts that are fixed while the daemon runs, by the names that they have in the file. */
const FIXED = ["stateDir", "log", "poll", "portals", "pools", "discovery", "limits"] as const;

/** A volume's settings apart from its size, which follows the configuration. */
function fixedVolumes(config: Config): unknown {
  return [...config.volumes].map(([name, volume]) => [name, { ...volume, sizeBytes: null }]);
}

/** The targets apart from the write protection of their LUNs, which follows the configuration. */
function fixedTargets(config: Config): unknown {
  return config.targets.map((target) => ({
    ...target,
    luns: target.luns.map((lun) => ({ ...lun, readOnly: false })),
  }));
}

/**
 * What SIGHUP asks for: every volume takes up the size that its file, its device or the configuration has by now, every
 * LUN the write protection of the configuration, and initiators are told. What else has changed in the configuration
 * needs a restart, and the log says so.
 */
export async function reload(options: ReloadOptions): Promise<void> {
  const { log, load, running, volumes, exports } = options;
  let config: Config;
  try {
    config = load();
  } catch (error) {
    log.error({ error }, "the configuration has errors; the one in use stays");
    await volumes.refresh(running.volumes);
    return;
  }
  const changed: string[] = FIXED.filter((key) => !isDeepStrictEqual(config[key], running[key]));
  if (!isDeepStrictEqual(fixedTargets(config), fixedTargets(running))) changed.push("targets");
  if (!isDeepStrictEqual(fixedVolumes(config), fixedVolumes(running))) changed.push("volumes");
  if (changed.length > 0) log.warn({ changed }, "some changes take effect after a restart only");
  exports.refresh(config.targets);
  await volumes.refresh(config.volumes);
  log.info({}, "the configuration and the sizes of volumes were read again");
}
