import { isDeepStrictEqual } from "node:util";
import type { Log } from "../../util/log.ts";
import type { Config, LunConfig, TargetConfig } from "../config/config.ts";
import type { Exports } from "../exports.ts";
import { isSameDisk } from "../units.ts";
import type { OpenVolume, VolumeStore } from "../volume-store.ts";
import { added, byName, pairs } from "./pairs.ts";

/** What an exchange is carried out on. */
export interface ExchangeParts {
  readonly log: Log;
  readonly volumes: Pick<VolumeStore, "volumes" | "close">;
  readonly exports: Pick<
    Exports,
    "add" | "addLun" | "configure" | "refresh" | "remove" | "removeLun" | "isMetAsAnother"
  >;
}

/** What initiators find. */
export type Found = Pick<Config, "volumes" | "targets">;

export interface ExchangeOptions {
  /** Whoever asks expects that initiators find another disk under a number that they know. */
  readonly replacesDisks?: boolean;
}

/** A LUN that is not there, as initiators would take it for another disk. */
export interface LeftOut {
  readonly target: string;
  readonly lun: LunConfig;
}

export function hasLun(target: TargetConfig, lun: LunConfig): boolean {
  return target.luns.some((other) => isSameDisk(other, lun));
}

/**
 * Takes from initiators what goes, and gives them what comes: the part that commands and a configuration that is read again have in
 * common. What goes wrong with one thing is logged, and does not keep the others from it.
 */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #before: Found;
  readonly #after: Found;
  readonly #replacesDisks: boolean;
  /** Those that are there then: others may have their names when what hangs has ended. */
  #going: readonly (readonly [name: string, opened: OpenVolume])[] = [];

  constructor(
    parts: ExchangeParts,
    before: Found,
    after: Found,
    { replacesDisks = false }: ExchangeOptions = {},
  ) {
    this.#parts = parts;
    this.#before = before;
    this.#after = after;
    this.#replacesDisks = replacesDisks;
  }

  /** Takes away targets and LUNs, at once. Resolves when no I/O of theirs is running any more; never rejects. */
  async takeAway(): Promise<void> {
    const { exports, volumes } = this.#parts;
    this.#going = [...added(this.#after.volumes, this.#before.volumes).keys()].flatMap((name) => {
      const opened = volumes.volumes.get(name);
      return opened === undefined ? [] : [[name, opened] as const];
    });
    const before = byName(this.#before.targets);
    const after = byName(this.#after.targets);
    const settled = (name: string, gone: Promise<void>): Promise<void> =>
      gone.catch((error: unknown) => this.#failed(name, error));
    const departures = [...added(after, before).keys()].map((name) =>
      settled(name, exports.remove(name)),
    );
    for (const [name, was, is] of pairs(before, after)) {
      for (const { lun } of was.luns.filter((one) => !hasLun(is, one))) {
        departures.push(settled(name, exports.removeLun(name, lun)));
      }
    }
    await Promise.all(departures);
  }

  /** Flushes and closes the volumes that go, once nothing of them is in use. None waits for another that hangs. */
  async closeVolumes(): Promise<void> {
    const { volumes, log } = this.#parts;
    const closings = this.#going.map(async ([name, opened]) => {
      const isMemory = opened.config.driver === "memory";
      if (isMemory) log.warn({ volume: name }, "volume is closed; its data are lost: it is memory");
      if (!(await volumes.close(name, opened)) || isMemory) return;
      log.info({ volume: name }, "volume closed; its data stay");
    });
    await Promise.all(closings);
  }

  /** Gives initiators what is new; returns what is left out. */
  bring(): readonly LeftOut[] {
    const { exports } = this.#parts;
    const before = byName(this.#before.targets);
    const after = byName(this.#after.targets);
    const leftOut: LeftOut[] = [];
    for (const [name, was, is] of pairs(before, after)) {
      if (isDeepStrictEqual(was, is)) continue;
      if (!isDeepStrictEqual({ ...was, luns: [] }, { ...is, luns: [] })) {
        this.#attempt(name, () => exports.configure(is));
      }
      for (const lun of is.luns) {
        if (hasLun(was, lun)) continue;
        if (this.isMetAsAnother(name, lun)) leftOut.push({ target: name, lun });
        else this.#attempt(name, () => exports.addLun(name, lun));
      }
      this.#attempt(name, () => exports.refresh([is]));
    }
    for (const [name, target] of added(before, after)) {
      // Whoever had lost one of this name comes back to it.
      const met = target.luns.filter((lun) => this.isMetAsAnother(name, lun));
      leftOut.push(...met.map((lun) => ({ target: name, lun })));
      const luns = target.luns.filter((lun) => !met.includes(lun));
      this.#attempt(name, () => exports.add({ ...target, luns }));
    }
    return leftOut;
  }

  /** Whether initiators that are logged in, or may come back, would take a LUN that comes for a disk that was there before it. */
  isMetAsAnother(target: string, lun: LunConfig): boolean {
    const was = this.#before.targets.find(({ name }) => name === target);
    if (this.#replacesDisks || (was !== undefined && hasLun(was, lun))) return false;
    return this.#parts.exports.isMetAsAnother(target, lun);
  }

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
}
