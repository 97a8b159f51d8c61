import type { PoolSettings } from "../format/records.ts";
import { areSettings } from "../format/settings.ts";
import { PoolError } from "../pool-error.ts";
import { commit } from "./commit.ts";
import type { SettingsChanges } from "./pool-options.ts";
import type { PoolParts } from "./pool-parts.ts";

/** Changes what is kept of a pool's settings. Errors: invalid, failed. */
export async function setSettings(parts: PoolParts, changes: SettingsChanges): Promise<void> {
  const before = parts.state.settings;
  const settings: PoolSettings = {
    name: changes.name ?? before.name,
    overcommitMax: changes.overcommitMax ?? before.overcommitMax,
    thresholds: changes.thresholds ?? before.thresholds,
  };
  if (!areSettings(settings)) {
    throw new PoolError(
      "invalid",
      "a pool has a name like a volume's, a limit of 0 or more, and up to 8 ascending thresholds between 0 and 1",
    );
  }
  await commit(parts, [{ kind: "settings", settings }]);
}
