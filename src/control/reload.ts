import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { addedProblems, checkInventory } from "./config/check-inventory.ts";
import type { Config, TargetConfig } from "./config/config.ts";
import { collisionsOf, EMPTY_INVENTORY, type Inventory, merged } from "./config/inventory.ts";
import { eachInOrder } from "./in-order.ts";
import { Exchange, type ExchangeParts, type Found, type LeftOut } from "./plane/exchange.ts";
import { added } from "./plane/pairs.ts";
import { reachable } from "./plane/reachable.ts";
import { StartError } from "./start-error.ts";
import type { VolumeStore } from "./volume-store.ts";
import { endsWithin } from "./within.ts";

export interface ReloadOptions extends ExchangeParts {
  readonly log: Log;
  readonly clock: Clock;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  /** What is in effect, also of what is not there. */
  readonly running: Config;
  /** What commands have made beside the configuration. */
  readonly inventory: Inventory;
  readonly volumes: VolumeStore;
}

/** How long SIGHUP waits for I/O on what it takes away: one disk that hangs must not hold up what has nothing to do with it. */
const DEPARTURE_MS_MAX = 10_000;

/**
 * What SIGHUP asks for: every volume takes up the size that its file, its device or the configuration has by now, every
 * LUN the write protection of the configuration; volumes, LUNs and targets are there as the configuration says, and
 * initiators are told. What was not there before, of commands, too, is tried again. Sessions go on where nothing that they use has
 * gone. What else has changed in the configuration needs a restart, and the log says what.
 *
 * Resolves with the configuration that is in effect.
 */
export async function reload(options: ReloadOptions): Promise<Config> {
  const { log, clock, volumes, running, inventory } = options;
  const wanted = loadFitting(options);
  const open = new Set(volumes.volumes.keys());
  const made = withVolumes(merged(running, inventory), open);
  const { config, waiting } =
    wanted === null
      ? { config: running, waiting: [] }
      : reachable(wanted, withVolumes(running, open), inventory.targets);
  const all = merged(config, inventory);
  // What goes away goes first: its file, its device or its volume may be wanted under another name.
  const departing = new Exchange(options, made, all);
  const departed = departing.takeAway().then(() => departing.closeVolumes());
  if (!(await endsWithin(clock, DEPARTURE_MS_MAX, departed))) {
    log.warn({}, "I/O on what was taken away hangs: it is let go when that ends");
  }
  await volumes.refresh(withVolumes(config, new Set(made.volumes.keys())).volumes);
  const there = await openVolumes(options, made, all);
  const leftOut = new Exchange(options, made, withVolumes(all, there)).bring();
  if (wanted === null) return running;
  const changed = [...waiting, ...leftOut.map(({ target, lun }) => `LUN ${lun.lun} of ${target}`)];
  if (changed.length > 0) log.warn({ changed }, "some changes take effect after a restart only");
  log.info({}, "the configuration and the sizes of volumes were read again");
  return { ...config, targets: withoutLeftOut(config.targets, leftOut) };
}

/** What the configuration says by now; null where it has errors. */
function loadFitting({ log, load, running, inventory }: ReloadOptions): Config | null {
  try {
    const config = load();
    refuseMisfits(config, running, inventory);
    return config;
  } catch (error) {
    log.error({ error }, "the configuration has errors; the one in use stays");
    return null;
  }
}

/** Throws what of a configuration does not fit beside what commands have made, and did fit before. */
function refuseMisfits(config: Config, running: Config, inventory: Inventory): void {
  const [collision] = collisionsOf(config, inventory);
  if (collision !== undefined) throw new StartError(`${collision} was made by a command, too`);
  const alone = checkInventory(config, EMPTY_INVENTORY);
  const before = [...checkInventory(running, inventory), ...alone];
  const problems = addedProblems(before, checkInventory(config, inventory));
  if (problems.length === 0) return;
  throw new StartError(`it does not fit what commands have made: ${problems.join("; ")}`);
}

/** With these volumes alone, and their LUNs. */
function withVolumes<T extends Found>(found: T, names: ReadonlySet<string>): T {
  const volumes = new Map([...found.volumes].filter(([name]) => names.has(name)));
  const targets = found.targets.map((target) => ({
    ...target,
    luns: target.luns.filter(({ volume }) => names.has(volume)),
  }));
  return { ...found, volumes, targets };
}

/** Opens the volumes that are new or were not there; returns the names of those that are. The others are tried again the next time. */
async function openVolumes(
  { log, clock, volumes }: ReloadOptions,
  before: Found,
  after: Found,
): Promise<ReadonlySet<string>> {
  const there = new Set([...before.volumes.keys()].filter((name) => after.volumes.has(name)));
  await eachInOrder(clock, added(before.volumes, after.volumes), async ([name, volume]) => {
    try {
      await volumes.open(name, { ...volume, optional: false });
      there.add(name);
    } catch (error) {
      log[volume.optional ? "warn" : "error"]({ volume: name, error }, "volume not added");
    }
  });
  return there;
}

function withoutLeftOut(
  targets: readonly TargetConfig[],
  leftOut: readonly LeftOut[],
): readonly TargetConfig[] {
  return targets.map((target) => ({
    ...target,
    luns: target.luns.filter(
      ({ lun }) => !leftOut.some((one) => one.target === target.name && one.lun.lun === lun),
    ),
  }));
}
