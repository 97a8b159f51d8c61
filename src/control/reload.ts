import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { addedProblems, checkInventory } from "./config/check-inventory.ts";
import type { Config, LunConfig, TargetConfig, VolumeConfig } from "./config/config.ts";
import { collisionsOf, EMPTY_INVENTORY, type Inventory } from "./config/inventory.ts";
import type { Exports } from "./exports.ts";
import { StartError } from "./start-error.ts";
import type { VolumeStore } from "./volume-store.ts";
import { endsWithin } from "./within.ts";

export interface ReloadOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  /** What is in effect: with what the daemon was started, and what earlier reloads have added. */
  readonly running: Config;
  /** What commands have made beside the configuration. */
  readonly inventory: Inventory;
  readonly volumes: VolumeStore;
  readonly exports: Pick<
    Exports,
    "refresh" | "add" | "addLun" | "configure" | "remove" | "removeLun" | "isMetAsAnother"
  >;
}

/** How long SIGHUP waits for I/O on what it takes away: one disk that hangs must not hold up what has nothing to do with it. */
const DEPARTURE_MS_MAX = 10_000;

/** Parts that are fixed while the daemon runs, by the names that they have in the file. */
const FIXED = ["stateDir", "log", "poll", "portals", "pools", "discovery", "limits"] as const;

/** A volume's settings apart from its size, which follows the configuration. */
function fixedVolume(volume: VolumeConfig | undefined): unknown {
  return volume === undefined ? null : { ...volume, sizeBytes: null };
}

/** A LUN apart from its settings, which follow the configuration. */
function fixedLun(lun: LunConfig): unknown {
  return { ...lun, readOnly: false, settings: null };
}

/** Targets that were there before and are wanted, by name, with the LUNs that stay. */
type StayingTargets = ReadonlyMap<string, TargetConfig>;

/** The targets as they are now, and what of them needs a restart, in words. */
interface AppliedTargets {
  readonly targets: readonly TargetConfig[];
  readonly waiting: readonly string[];
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
 * LUN the write protection of the configuration; volumes, LUNs and targets are there as the configuration says, and
 * initiators are told. Sessions go on where nothing that they use has gone. What else has changed in the configuration needs a
 * restart, and the log says what.
 *
 * Resolves with the configuration that is in effect.
 */
export async function reload(asked: ReloadOptions): Promise<Config> {
  const { log, load, volumes, exports } = asked;
  const running = withoutAbsent(asked.running, volumes);
  const options = { ...asked, running };
  let config: Config;
  try {
    config = load();
    refuseMisfits(config, asked);
  } catch (error) {
    log.error({ error }, "the configuration has errors; the one in use stays");
    await volumes.refresh(running.volumes);
    return running;
  }
  // What goes away goes first: its file, its device or its volume may be wanted under another name.
  const { staying, departures } = removeTargets(options, config);
  const areGone = await endsWithin(options.clock, DEPARTURE_MS_MAX, Promise.all(departures));
  if (!areGone)
    log.warn({}, "I/O on what was taken away hangs: its volumes stay open until SIGHUP");
  const kept = areGone ? await closeVolumes(options, config, staying) : running.volumes;
  await volumes.refresh(unchanged(config.volumes, running.volumes));
  const opened = await addVolumes({ ...options, running: { ...running, volumes: kept } }, config);
  const { targets, waiting } = addTargets(options, config, staying);
  exports.refresh(targets);
  await tryAbsent(options);
  const fixed = FIXED.filter((key) => !isDeepStrictEqual(config[key], running[key]));
  const changed = [...fixed, ...opened.waiting, ...waiting];
  if (changed.length > 0) log.warn({ changed }, "some changes take effect after a restart only");
  log.info({}, "the configuration and the sizes of volumes were read again");
  const { http, accounts } = config;
  return { ...running, volumes: opened.running.volumes, targets, http, accounts };
}

/** Volumes of commands that could not be opened before may be there by now, for the LUNs that were left out with them. */
async function tryAbsent({ inventory, volumes, exports }: ReloadOptions): Promise<void> {
  const before = new Set(volumes.volumes.keys());
  for (const [name, config] of inventory.volumes) {
    if (!before.has(name)) await volumes.open(name, { ...config, optional: true });
  }
  for (const { name, luns } of inventory.targets) {
    for (const lun of luns) {
      const isBack = !before.has(lun.volume) && volumes.volumes.has(lun.volume);
      if (isBack && !exports.isMetAsAnother(name, lun)) exports.addLun(name, lun);
    }
  }
}

/** Throws what of a configuration does not fit beside what commands have made, and did fit before. */
function refuseMisfits(config: Config, { running, inventory }: ReloadOptions): void {
  const [collision] = collisionsOf(config, inventory);
  if (collision !== undefined) throw new StartError(`${collision} was made by a command, too`);
  const alone = checkInventory(config, EMPTY_INVENTORY);
  const before = [...checkInventory(running, inventory), ...alone];
  const problems = addedProblems(before, checkInventory(config, inventory));
  if (problems.length === 0) return;
  throw new StartError(`it does not fit what commands have made: ${problems.join("; ")}`);
}

/** A target that becomes one of tgt, or ceases to be one, is another one: it stays as it is until a restart. */
function stayingAsItIs(before: TargetConfig | undefined, now: TargetConfig): boolean {
  return before !== undefined && (before.tgt === null) !== (now.tgt === null);
}

/** Of the volumes that are wanted, those that are the disks that they were: the size of another one says nothing of this. */
function unchanged(wanted: Config["volumes"], running: Config["volumes"]): Config["volumes"] {
  const isUnchanged = ([name, volume]: readonly [string, VolumeConfig]): boolean =>
    isDeepStrictEqual(fixedVolume(volume), fixedVolume(running.get(name)));
  return new Map([...wanted].filter(isUnchanged));
}

/** Without the volumes that could not be opened, and their LUNs: they are tried again. */
function withoutAbsent(config: Config, { volumes: open }: VolumeStore): Config {
  const volumes = new Map([...config.volumes].filter(([name]) => open.has(name)));
  const targets = config.targets.map((target) => ({
    ...target,
    luns: target.luns.filter(({ volume }) => open.has(volume)),
  }));
  return { ...config, volumes, targets };
}

/** Opens the volumes that are new. One that cannot be opened is tried again the next time. */
async function addVolumes(options: ReloadOptions, config: Config): Promise<Outcome> {
  const { log, running, volumes } = options;
  const known = new Map(running.volumes);
  const waiting: string[] = [];
  for (const [name, before] of running.volumes) {
    const now = config.volumes.get(name);
    if (now === undefined || isDeepStrictEqual(fixedVolume(now), fixedVolume(before))) continue;
    waiting.push(`volume ${name}`);
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

/** Flushes and closes the volumes that are not wanted any more, where no LUN is left of them. */
async function closeVolumes(
  { log, clock, volumes, running, inventory }: ReloadOptions,
  config: Config,
  staying: StayingTargets,
): Promise<Config["volumes"]> {
  const kept = new Map(running.volumes);
  const luns = [...staying.values(), ...inventory.targets].flatMap((target) => target.luns);
  const used = new Set(luns.map(({ volume }) => volume));
  for (const name of running.volumes.keys()) {
    if (config.volumes.has(name) || used.has(name)) continue;
    kept.delete(name);
    const isMemory = volumes.volumes.get(name)?.config.driver === "memory";
    if (isMemory) log.warn({ volume: name }, "volume is closed; its data are lost: it is memory");
    const closing = volumes.close(name);
    if (!(await endsWithin(clock, DEPARTURE_MS_MAX, closing))) {
      log.warn({ volume: name }, "volume does not answer: it is closed when it does");
      continue;
    }
    if (!(await closing) || isMemory) continue;
    log.info({ volume: name }, "volume closed; its data stay");
  }
  return kept;
}

/** Takes away the targets and LUNs that are not wanted any more; returns what stays, and what to wait for. */
function removeTargets(
  options: ReloadOptions,
  config: Config,
): { readonly staying: StayingTargets; readonly departures: Promise<void>[] } {
  const staying = new Map<string, TargetConfig>();
  const departures: Promise<void>[] = [];
  for (const before of options.running.targets) {
    const now = config.targets.find(({ name }) => name === before.name);
    if (now !== undefined && stayingAsItIs(before, now)) staying.set(before.name, before);
    else if (now === undefined) departures.push(options.exports.remove(before.name));
    else {
      const luns = removeLuns(options, before, now, departures);
      staying.set(before.name, { ...before, luns });
    }
  }
  return { staying, departures };
}

/** Makes the targets that are new, and brings the others up to date. */
function addTargets(
  options: ReloadOptions,
  config: Config,
  staying: StayingTargets,
): AppliedTargets {
  const { exports, volumes } = options;
  const waiting: string[] = [];
  const targets = config.targets.map((now) => {
    const before = staying.get(now.name);
    if (before === undefined) {
      exports.add(now);
      return { ...now, luns: now.luns.filter(({ volume }) => volumes.volumes.has(volume)) };
    }
    if (stayingAsItIs(before, now)) {
      waiting.push(`target ${now.name}`);
      return before;
    }
    if (!isDeepStrictEqual({ ...now, luns: [] }, { ...before, luns: [] })) exports.configure(now);
    return { ...now, luns: addLuns(options, before, now, waiting) };
  });
  return { targets, waiting };
}

/** Takes away the LUNs whose numbers are not wanted any more; returns those that stay. */
function removeLuns(
  { exports }: ReloadOptions,
  before: TargetConfig,
  now: TargetConfig,
  departures: Promise<void>[],
): readonly LunConfig[] {
  const staying: LunConfig[] = [];
  for (const lun of before.luns) {
    if (now.luns.some((other) => other.lun === lun.lun)) staying.push(lun);
    else departures.push(exports.removeLun(before.name, lun.lun));
  }
  return staying;
}

/**
 * Attaches the LUNs that are new, and returns those that are there. A number that is to be another disk, or the same with other blocks, stays
 * what it is: initiators that are logged in do not look again, and would write to the new disk what they know of the old one.
 */
function addLuns(
  { exports }: ReloadOptions,
  before: TargetConfig,
  now: TargetConfig,
  waiting: string[],
): readonly LunConfig[] {
  const luns: LunConfig[] = [];
  for (const lun of now.luns) {
    const known = before.luns.find((other) => other.lun === lun.lun);
    if (known !== undefined && isDeepStrictEqual(fixedLun(known), fixedLun(lun))) luns.push(lun);
    else if (known !== undefined) {
      luns.push(known);
      waiting.push(`LUN ${lun.lun} of ${now.name}`);
    } else if (before.luns.some(({ volume }) => volume === lun.volume)) {
      // A unit has one LUN in a target, and this one would have to leave the other first.
      waiting.push(`LUN ${lun.lun} of ${now.name}`);
    } else if (exports.isMetAsAnother(now.name, lun)) {
      waiting.push(`LUN ${lun.lun} of ${now.name}`);
    } else if (exports.addLun(now.name, lun)) luns.push(lun);
  }
  return luns;
}
