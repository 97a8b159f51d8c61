import { lstat, unlink } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import type { LunConfig, PortalConfig, TargetConfig, VolumeConfig } from "../config/config.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { Inventory } from "../config/inventory.ts";
import type { Exports } from "../exports.ts";
import type { PoolStore } from "../pool-store.ts";
import type { PortalStore } from "../portal-store.ts";
import { OperationError } from "../protocol.ts";
import type { Creation } from "../state-document.ts";
import type { Identities } from "../state-store.ts";
import type { VolumeStore } from "../volume-store.ts";
import { endsWithin } from "../within.ts";
import { creationOf, takeBack } from "./creations.ts";
import { Exchange, hasLun } from "./exchange.ts";
import { added, byName, pairs } from "./pairs.ts";
import {
  nameAfter,
  namesOf,
  renamedInventory,
  renameInPool,
  renamingCreation,
  type VolumeRenaming,
} from "./renaming.ts";

/** What a change of the inventory is carried out on. */
export interface PlaneParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly volumeIdentities: Identities;
  readonly poolIdentities: Identities;
  readonly pools: Pick<PoolStore, "open" | "close" | "find" | "isNew">;
  readonly volumes: VolumeStore;
  readonly portals: PortalStore;
  readonly exports: Exports;
  /** Whether initiators are logged in to a target. */
  readonly hasSessions: (target: string) => boolean;
}

/** How long a change waits for I/O on what it takes away. What hangs longer is let go when it ends. */
const DEPARTURE_MS_MAX = 10_000;

/** How long a pool may take to write down a name: it may have much else to write. */
const POOL_MS_MAX = 30_000;

/** How many initiators are named that are in the way of a change. */
const NAMED_MAX = 5;

type Undo = () => Promise<void>;

export interface TransactionOptions {
  /** Whoever asks expects that initiators find another disk under a number that they know, as soon as it is free. */
  readonly replacesDisks?: boolean;
  /** Whoever asks makes volumes smaller by itself then. */
  readonly isResizing?: boolean;
  /** A volume gets another name with it, without anything else becoming different of it. */
  readonly renaming?: VolumeRenaming;
}

/**
 * One change of the inventory: `prepare` does all that may fail and can be taken back, then it is kept in the state, and `commit` does the
 * rest. Things to come are there before others go, so a change that moves one disk from a name to another is two.
 */
export class Transaction {
  readonly #parts: PlaneParts;
  readonly #before: Inventory;
  readonly #after: Inventory;
  readonly #exchange: Exchange;
  readonly #renaming: VolumeRenaming | null;
  readonly #isResizing: boolean;
  /** How to take back what is prepared, last first. */
  readonly #undo: Undo[] = [];
  readonly #creations: Creation[] = [];
  #left: readonly Creation[] = [];
  /** Nobody waits for that any more. */
  #isUndoLate = false;

  constructor(
    parts: PlaneParts,
    before: Inventory,
    after: Inventory,
    { replacesDisks = false, isResizing = false, renaming }: TransactionOptions = {},
  ) {
    this.#parts = parts;
    this.#renaming = renaming ?? null;
    this.#isResizing = isResizing;
    // What is called otherwise is the same disk: nothing of it goes, and nothing comes.
    this.#before = renaming === undefined ? before : renamedInventory(before, renaming);
    this.#after = after;
    this.#exchange = new Exchange(parts, this.#before, after, { replacesDisks });
    this.#refuseWhatCannotChange();
    this.#refuseAbsentVolumes();
    this.#refuseMetDisks();
  }

  /** Errors: busy, failed. */
  #refuseWhatCannotChange(): void {
    const { hasSessions } = this.#parts;
    for (const [name, was, is] of pairs(this.#before.pools, this.#after.pools)) {
      if (isDeepStrictEqual(was, is)) continue;
      throw new OperationError(
        "busy",
        `the settings of pool ${name} cannot change while it is open`,
      );
    }
    for (const name of added(this.#after.pools, this.#before.pools).keys()) {
      const used = this.#usedBefore(name);
      if (used === undefined) continue;
      throw new OperationError(
        "busy",
        `commands that have not ended still use volume ${used} of pool ${name}`,
      );
    }
    for (const [name, was, is] of pairs(this.#before.volumes, this.#after.volumes)) {
      if (isDeepStrictEqual(fixedVolume(was), fixedVolume(is))) continue;
      throw new OperationError(
        "busy",
        `volume ${name} is open: of what it has, its size alone can change; take it away, and add it anew`,
      );
    }
    for (const [name, was, is] of pairs(
      byListen(this.#before.portals),
      byListen(this.#after.portals),
    )) {
      if (isDeepStrictEqual(was, is)) continue;
      throw new OperationError("busy", `portal ${name} listens: take it away, and add it anew`);
    }
    for (const [name, was, is] of pairs(
      byName(this.#before.targets),
      byName(this.#after.targets),
    )) {
      if ((was.tgt === null) !== (is.tgt === null)) {
        throw new OperationError(
          "busy",
          `target ${name} becomes one of tgt, or ceases to be one: take it away, and add it anew`,
        );
      }
      const replaced = replacedLuns(was, is);
      if (replaced.length === 0 || !hasSessions(name)) continue;
      throw new OperationError(
        "busy",
        `LUN ${replaced[0]?.lun} of ${name} would become another disk for initiators that are logged in: log them out first`,
      );
    }
  }

  /** A volume of a pool that an earlier change has taken away, and that is still open or being closed, as its I/O hangs. */
  #usedBefore(pool: string): string | undefined {
    const { volumes } = this.#parts;
    return volumes
      .usersOf(pool)
      .find((name) => !volumes.volumes.has(name) || !this.#before.volumes.has(name));
  }

  /** Errors: busy. */
  #refuseMetDisks(): void {
    for (const { name, luns } of this.#after.targets) {
      const met = luns.find((lun) => this.#exchange.isMetAsAnother(name, lun));
      if (met === undefined) continue;
      const who = this.#parts.exports.strangersTo(name, met).slice(0, NAMED_MAX).join("; ");
      throw new OperationError(
        "busy",
        `initiators of ${name} (${who}) know another disk as LUN ${met.lun}: log them out on their hosts first, take another number, or force it where they do not use that disk`,
      );
    }
  }

  /** Errors: failed. */
  #refuseAbsentVolumes(): void {
    const { volumes } = this.#parts;
    const before = byName(this.#before.targets);
    const coming = added(this.#before.volumes, this.#after.volumes);
    for (const { name, luns } of this.#after.targets) {
      const was = before.get(name);
      for (const config of luns) {
        const { lun, volume } = config;
        if (volumes.volumes.has(volume) || coming.has(volume)) continue;
        if (was !== undefined && hasLun(was, config)) continue;
        throw new OperationError(
          "failed",
          `volume ${volume} for LUN ${lun} of ${name} could not be opened when the daemon started: see its log`,
        );
      }
    }
  }

  /** What `prepare` will make, for it to be taken back after a crash. Errors: exists. */
  async creations(): Promise<readonly Creation[]> {
    for (const [name, config] of added(this.#before.volumes, this.#after.volumes)) {
      const finding = creationOf(name, config, this.#parts);
      if (!(await endsWithin(this.#parts.clock, DEPARTURE_MS_MAX, finding))) {
        throw new OperationError("io", `volume ${name}: its storage does not answer`);
      }
      const creation = await finding;
      if (creation !== null) this.#creations.push(creation);
    }
    if (this.#renaming !== null) this.#creations.push(renamingCreation(this.#renaming));
    return this.#creations;
  }

  /** Where this rejects, `undo` is to follow. */
  async prepare(): Promise<void> {
    const { pools, volumes, portals } = this.#parts;
    for (const [name, config] of added(this.#before.pools, this.#after.pools)) {
      await pools.open(name, { ...config, optional: false });
      this.#undo.push(() => this.#closePool(name));
    }
    // Behind the volumes, and before the pools that they are in.
    this.#undo.push(() => this.#takeBack());
    if (this.#renaming !== null) await this.#rename(this.#renaming);
    for (const [name, config] of added(this.#before.volumes, this.#after.volumes)) {
      await volumes.open(name, { ...config, optional: false });
      const opened = volumes.volumes.get(name);
      this.#undo.push(async () => void (await volumes.close(name, opened)));
    }
    for (const portal of added(
      byListen(this.#before.portals),
      byListen(this.#after.portals),
    ).values()) {
      await portals.open(portal);
      this.#undo.push(() => portals.close(portal));
    }
    // Last, as what has grown stays so.
    for (const [name, was, is] of pairs(this.#before.volumes, this.#after.volumes)) {
      const isResizing = this.#isResizing;
      if (!isDeepStrictEqual(was, is)) await volumes.fit(name, is, { isResizing });
    }
    // By now all volumes are known, and initiators may have come meanwhile.
    this.#refuseMetDisks();
  }

  /** The disk is known to have been there under its new name, too: a start that does not find it makes no other one. */
  async #rename(renaming: VolumeRenaming): Promise<void> {
    const { clock, pools, volumeIdentities } = this.#parts;
    const { pool, uuid, to } = renaming;
    const inPool = renameInPool(pools.find(pool)?.pool, renaming);
    if (!(await endsWithin(clock, POOL_MS_MAX, inPool))) {
      throw new OperationError("io", `pool ${pool} does not answer`);
    }
    for (const name of namesOf(this.#after.volumes, pool, to)) {
      await volumeIdentities.rememberMade(name, uuid);
    }
  }

  /** Whoever has the volume open knows it by its new name from now on. */
  async #takeUpName(renaming: VolumeRenaming): Promise<void> {
    const { volumes, exports, volumeIdentities, log } = this.#parts;
    const { pool, uuid, from, to } = renaming;
    const before = `${pool}/${from}`;
    for (const name of namesOf(this.#after.volumes, pool, to)) {
      const config = this.#after.volumes.get(name);
      const was = nameAfter(before, renaming) === name ? before : name;
      if (config === undefined) continue;
      volumes.rename(was, name, config);
      exports.rename(was, name);
    }
    try {
      const isIt = volumeIdentities.wasMade(before) && !this.#after.volumes.has(before);
      if (isIt && (await volumeIdentities.uuidOf(before)) === uuid) {
        await volumeIdentities.forget(before);
      }
    } catch (error) {
      log.error({ volume: before, error }, "the old name of a volume is still kept for it");
    }
  }

  /** A pool that was made just now goes with its image files; on devices it stays, and is found when it is wanted again. */
  async #closePool(name: string): Promise<void> {
    const { pools, poolIdentities, log } = this.#parts;
    const isNew = pools.isNew(name);
    const { devices = [], create } = this.#after.pools.get(name) ?? {};
    await pools.close(name);
    if (!isNew || create?.sizeBytes === undefined || create.sizeBytes === null) return;
    for (const path of devices) {
      if ((await lstat(path)).isFile()) await unlink(path);
    }
    await poolIdentities.forget(name);
    log.info(
      { pool: name, devices },
      "the pool was made for a change that failed: its images are gone",
    );
  }

  /** Other changes may have come once nobody waits any more: what they have is theirs. The next start takes back what is left. */
  async #takeBack(): Promise<void> {
    if (this.#isUndoLate) return;
    this.#left = await takeBack(this.#creations, this.#parts);
  }

  /** What `undo` could not take back. */
  get left(): readonly Creation[] {
    return this.#left;
  }

  /** Takes back what was prepared; what cannot be is logged. What hangs goes on by itself. */
  async undo(): Promise<void> {
    const { clock, log } = this.#parts;
    if (await endsWithin(clock, DEPARTURE_MS_MAX, this.#undoAll())) return;
    this.#isUndoLate = true;
    this.#left = this.#creations;
    log.warn({}, "a change that failed is being taken back: what hangs is let go when that ends");
  }

  async #undoAll(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) {
      try {
        await undo();
      } catch (error) {
        this.#parts.log.error({ error }, "a change that failed could not be taken back as a whole");
      }
    }
  }

  /** Carries out what is prepared and kept. Resolves when nothing of what goes is in use any more, or later where I/O hangs. */
  async commit(): Promise<void> {
    if (this.#renaming !== null) await this.#takeUpName(this.#renaming);
    const exchange = this.#exchange;
    const closePools = this.#poolsThatGo();
    const departed = Promise.all([exchange.takeAway(), ...this.#closePortals()]);
    // A number that becomes another disk has to be free first; nobody is logged in.
    await this.#within(departed);
    for (const { target, lun } of exchange.bring()) {
      this.#parts.log.error(
        { target, lun: lun.lun, volume: lun.volume },
        "LUN left out: initiators that have logged in meanwhile know another disk under its number; in effect after a restart",
      );
    }
    await this.#within(departed.then(() => exchange.closeVolumes()).then(closePools));
  }

  /** The change is kept already: one that goes wrong keeps nothing else from it. */
  #closePortals(): readonly Promise<void>[] {
    const { portals, log } = this.#parts;
    const closing = added(byListen(this.#after.portals), byListen(this.#before.portals));
    return Array.from(closing, ([name, portal]) =>
      portals.close(portal).catch((error: unknown) => {
        log.error({ portal: name, error }, "portal could not be closed");
      }),
    );
  }

  /** Those that are there now: others may have their names when what hangs has ended. Returns how to close them. */
  #poolsThatGo(): () => Promise<void> {
    const { pools } = this.#parts;
    const going = [...added(this.#after.pools, this.#before.pools).keys()].map(
      (name) => [name, pools.find(name)] as const,
    );
    return async () => {
      for (const [name, opened] of going) {
        if (opened !== undefined) await pools.close(name, opened);
      }
    };
  }

  async #within(work: Promise<unknown>): Promise<void> {
    const { clock, log } = this.#parts;
    if (await endsWithin(clock, DEPARTURE_MS_MAX, work)) return;
    log.warn({}, "I/O on what was taken away hangs: it is let go when that ends");
  }
}

/** A volume apart from its size, which can change. */
function fixedVolume(volume: VolumeConfig): unknown {
  return { ...volume, sizeBytes: null };
}

/** LUNs whose numbers lead to another disk afterwards. */
function replacedLuns(was: TargetConfig, is: TargetConfig): readonly LunConfig[] {
  const numbers = new Set(was.luns.map(({ lun }) => lun));
  return is.luns.filter((lun) => numbers.has(lun.lun) && !hasLun(was, lun));
}

function byListen(portals: readonly PortalConfig[]): ReadonlyMap<string, PortalConfig> {
  return new Map(portals.map((portal) => [formatEndpoint(portal.listen), portal]));
}
