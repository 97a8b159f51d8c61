import { isDeepStrictEqual } from "node:util";
import type { Log } from "../util/log.ts";
import type { Config } from "./config/config.ts";
import type { VolumeStore } from "./volume-store.ts";

export interface ReloadOptions {
  readonly log: Log;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  /** With what the daemon was started. */
  readonly running: Config;
  readonly volumes: VolumeStore;
}

/** Parts that are fixed while the daemon runs, by the names that they have in the file. */
const FIXED = ["stateDir", "log", "poll", "portals", "targets", "discovery", "limits"] as const;

/** A volume's settings apart from its size, which follows the configuration. */
function fixedVolumes(config: Config): unknown {
  return [...config.volumes].map(([name, volume]) => [name, { ...volume, sizeBytes: null }]);
}

/**
 * What SIGHUP asks for: every volume takes up the size that its file, its device or the configuration has by now, and
 * initiators are told. What else has changed in the configuration needs a restart, and the log says so.
 */
export async function reload({ log, load, running, volumes }: ReloadOptions): Promise<void> {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    log.error({ error }, "the configuration has errors; the one in use stays");
    await volumes.refresh(running.volumes);
    return;
  }
  const changed: string[] = FIXED.filter((key) => !isDeepStrictEqual(config[key], running[key]));
  if (!isDeepStrictEqual(fixedVolumes(config), fixedVolumes(running))) changed.push("volumes");
  if (changed.length > 0) log.warn({ changed }, "some changes take effect after a restart only");
  await volumes.refresh(config.volumes);
  log.info({}, "sizes of volumes were read again");
}
