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
import { isSameDisk } from "../units.ts";
import type { VolumeStore } from "../volume-store.ts";
import { endsWithin } from "../within.ts";
import { creationOf, takeBack } from "./creations.ts";

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

type Undo = () => Promise<void>;

export interface TransactionOptions {
  /** Whoever asks expects that initiators find another disk under a number that they know, as soon as it is free. */
  readonly replacesDisks?: boolean;
}

/**
 * One change of the inventory: `prepare` does all that may fail and can be taken back, then it is kept in the state, and `commit` does the
 * rest. Things to come are there before others go, so a change that moves one disk from a name to another is two.
 */
export class Transaction {
  readonly #parts: PlaneParts;
  readonly #before: Inventory;
  readonly #after: Inventory;
  readonly #replacesDisks: boolean;
  /** How to take back what is prepared, last first. */
  readonly #undo: Undo[] = [];
  readonly #creations: Creation[] = [];
  #left: readonly Creation[] = [];

  constructor(
    parts: PlaneParts,
    before: Inventory,
    after: Inventory,
    { replacesDisks = false }: TransactionOptions = {},
  ) {
    this.#parts = parts;
    this.#before = before;
    this.#after = after;
    this.#replacesDisks = replacesDisks;
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

  /** A volume of a pool that an earlier change has taken away, and that is still open, as its I/O hangs. */
  #usedBefore(pool: string): string | undefined {
    return [...this.#parts.volumes.volumes].find(
      ([name, { config }]) =>
        config.driver === "thin" && config.pool === pool && !this.#before.volumes.has(name),
    )?.[0];
  }

  /** Errors: busy. */
  #refuseMetDisks(): void {
    for (const { name, luns } of this.#after.targets) {
      const met = luns.find((lun) => this.#isMetAsAnother(name, lun));
      if (met === undefined) continue;
      throw new OperationError(
        "busy",
        `initiators that are logged in to ${name} know another disk as LUN ${met.lun}: log them out first, or take another number`,
      );
    }
  }

  /** Whether a LUN that comes would be taken for a disk that was there before it. */
  #isMetAsAnother(target: string, lun: LunConfig): boolean {
    const was = this.#before.targets.find(({ name }) => name === target);
    if (this.#replacesDisks || was === undefined || has(was, lun)) return false;
    return this.#parts.exports.isMetAsAnother(target, lun);
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
        if (was !== undefined && has(was, config)) continue;
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
    this.#undo.push(async () => void (this.#left = await takeBack(this.#creations, this.#parts)));
    for (const [name, config] of added(this.#before.volumes, this.#after.volumes)) {
      await volumes.open(name, { ...config, optional: false });
      this.#undo.push(async () => void (await volumes.close(name)));
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
      if (!isDeepStrictEqual(was, is)) await volumes.fit(name, is);
    }
    // By now all volumes are known, and initiators may have come meanwhile.
    this.#refuseMetDisks();
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

  /** What `undo` could not take back. */
  get left(): readonly Creation[] {
    return this.#left;
  }

  /** Takes back what was prepared; what cannot be is logged. What hangs goes on by itself. */
  async undo(): Promise<void> {
    const { clock, log } = this.#parts;
    if (await endsWithin(clock, DEPARTURE_MS_MAX, this.#undoAll())) return;
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
    const departures = this.#takeAway();
    const { exports, portals } = this.#parts;
    const closing = added(byListen(this.#after.portals), byListen(this.#before.portals));
    for (const [name, portal] of closing) {
      departures.push(portals.close(portal).catch((error: unknown) => this.#failed(name, error)));
    }
    const before = byName(this.#before.targets);
    const after = byName(this.#after.targets);
    // A number that becomes another disk has to be free first; nobody is logged in.
    await this.#within(Promise.all(departures));
    for (const [name, was, is] of pairs(before, after)) {
      if (isDeepStrictEqual(was, is)) continue;
      if (!isDeepStrictEqual({ ...was, luns: [] }, { ...is, luns: [] })) {
        this.#attempt(name, () => exports.configure(is));
      }
      for (const lun of is.luns) {
        if (!has(was, lun)) this.#attempt(name, () => this.#addLun(name, lun));
      }
      this.#attempt(name, () => exports.refresh([is]));
    }
    for (const [name, target] of added(before, after)) {
      this.#attempt(name, () => exports.add(target));
    }
    const closed = Promise.all(departures).then(() => this.#closeWhatGoes());
    await this.#within(closed);
  }

  /** The change is kept already: what goes wrong with one thing must not keep the others from it. */
  #attempt(target: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failed(target, error);
    }
  }

  #failed(target: string, error: unknown): void {
    const message = "not all of a change could be done: the rest is in effect after a restart";
    this.#parts.log.error({ target, error }, message);
  }

  #addLun(target: string, lun: LunConfig): void {
    const { exports, log } = this.#parts;
    if (!this.#isMetAsAnother(target, lun)) {
      exports.addLun(target, lun);
      return;
    }
    log.error(
      { target, lun: lun.lun, volume: lun.volume },
      "LUN left out: initiators that have logged in meanwhile know another disk under its number; in effect after a restart",
    );
  }

  #takeAway(): Promise<void>[] {
    const { exports } = this.#parts;
    const before = byName(this.#before.targets);
    const after = byName(this.#after.targets);
    const settled = (name: string, gone: Promise<void>): Promise<void> =>
      gone.catch((error: unknown) => this.#failed(name, error));
    const departures = [...added(after, before).keys()].map((name) =>
      settled(name, exports.remove(name)),
    );
    for (const [name, was, is] of pairs(before, after)) {
      for (const { lun } of was.luns.filter((one) => !has(is, one))) {
        departures.push(settled(name, exports.removeLun(name, lun)));
      }
    }
    return departures;
  }

  async #closeWhatGoes(): Promise<void> {
    const { volumes, pools, log } = this.#parts;
    for (const name of added(this.#after.volumes, this.#before.volumes).keys()) {
      if (await volumes.close(name)) log.info({ volume: name }, "volume closed");
    }
    for (const name of added(this.#after.pools, this.#before.pools).keys()) await pools.close(name);
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

function has(target: TargetConfig, lun: LunConfig): boolean {
  return target.luns.some((other) => isSameDisk(other, lun));
}

/** LUNs whose numbers lead to another disk afterwards. */
function replacedLuns(was: TargetConfig, is: TargetConfig): readonly LunConfig[] {
  const numbers = new Set(was.luns.map(({ lun }) => lun));
  return is.luns.filter((lun) => numbers.has(lun.lun) && !has(was, lun));
}

function byName(targets: readonly TargetConfig[]): ReadonlyMap<string, TargetConfig> {
  return new Map(targets.map((target) => [target.name, target]));
}

function byListen(portals: readonly PortalConfig[]): ReadonlyMap<string, PortalConfig> {
  return new Map(portals.map((portal) => [formatEndpoint(portal.listen), portal]));
}

/** What the second has and the first has not. */
function added<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...after].filter(([name]) => !before.has(name)));
}

/** What both have. */
function pairs<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly (readonly [name: string, was: T, is: T])[] {
  return [...after].flatMap(([name, is]) => {
    const was = before.get(name);
    return was === undefined ? [] : [[name, was, is] as const];
  });
}
