import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load-config.ts";
import type { Finding } from "./config/report.ts";
import { demoConfig } from "./demo-config.ts";
import { portalsFromArguments } from "./portals.ts";
import { defaultStateFolder, systemSurroundings } from "./state-folder.ts";
import { pingsOf } from "./tgt/execute/target-settings.ts";
import { tgtConfig } from "./tgt/tgt-config.ts";

/** What of the command line changes the configuration. */
export interface StartupOptions {
  /** Null: the demonstration disk, or nothing where it stands for tgt's daemon. */
  readonly configFile: string | null;
  /** Null: as configured, or the default of the user. */
  readonly stateDir: string | null;
  /** In the place of the configured portals, where there are any. */
  readonly portals: readonly string[];
  /** Where tgtadm expects tgt's daemon; left out: this one does not stand for it. */
  readonly tgtSocket?: string;
  /** `nop_interval` and `nop_count` of tgtd's command line, which go before the configuration's pings. */
  readonly nopOptions?: ReadonlyMap<string, string>;
}

/** By now it is known where the state is. */
export type StartupConfig = Config & { readonly stateDir: string };

/** Whether there is nothing but the demonstration disk: tgt's daemon begins without anything. */
export function isDemo({
  configFile,
  tgtSocket,
}: Pick<StartupOptions, "configFile" | "tgtSocket">): boolean {
  return configFile === null && tgtSocket === undefined;
}

/**
 * The configuration with what the command line changes of it.
 *
 * @throws {ConfigError} it has errors
 * @throws {StartError} a portal of the command line is none
 */
export function startupConfig(options: StartupOptions): {
  readonly config: StartupConfig;
  readonly warnings: readonly Finding[];
} {
  const fallback = defaultStateFolder(systemSurroundings());
  const builtIn = isDemo(options) ? demoConfig : tgtConfig;
  const parsed =
    options.configFile === null
      ? { config: builtIn(options.stateDir ?? fallback), warnings: [] }
      : loadConfig(options.configFile);
  const given = portalsFromArguments(options.portals);
  const stateDir = options.stateDir ?? parsed.config.stateDir ?? fallback;
  const portals = given.length > 0 ? given : parsed.config.portals;
  const pings = { ...parsed.config.limits.pings, ...pingsOf(options.nopOptions ?? new Map()) };
  const limits = { ...parsed.config.limits, pings };
  return { config: { ...parsed.config, stateDir, portals, limits }, warnings: parsed.warnings };
}
