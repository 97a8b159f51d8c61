import type { Config } from "../config/config.ts";

/** The numbers by which tgt's commands know targets. One that was given stays, over restarts where it is kept. */
export class TargetNumbers {
  readonly #given: Map<string, number>;

  /** @param given by target, as kept before */
  constructor(given: ReadonlyMap<string, number> = new Map()) {
    this.#given = new Map(given);
  }

  /** Those that nobody has said, by target. */
  get given(): ReadonlyMap<string, number> {
    return new Map(this.#given);
  }

  /** Every target with its number: the one that it was told, was given before, or the lowest that is free. */
  number(config: Config): Config {
    const used = new Set(config.targets.map(({ name, tid }) => tid ?? this.#given.get(name)));
    let next = 1;
    const targets = config.targets.map((target) => {
      if (target.tid !== null) return target;
      let tid = this.#given.get(target.name);
      if (tid === undefined) {
        while (used.has(next)) next += 1;
        tid = next;
        used.add(tid);
        this.#given.set(target.name, tid);
      }
      return { ...target, tid };
    });
    return { ...config, targets };
  }

  /** Forgets those of targets that are not there any more, or have been told one. */
  retain({ targets }: Config): void {
    const names = new Set(targets.filter(({ tid }) => tid === null).map(({ name }) => name));
    for (const name of this.#given.keys()) if (!names.has(name)) this.#given.delete(name);
  }

  /** The same before anybody uses them: who has a number that another one was told, or has already, gets a new one. */
  resolve(config: Config): void {
    this.retain(config);
    const used = new Set(config.targets.map(({ tid }) => tid));
    for (const { name, tid } of config.targets) {
      const given = this.#given.get(name);
      if (tid !== null || given === undefined) continue;
      if (used.has(given)) this.#given.delete(name);
      used.add(given);
    }
  }
}

/** The number that a new target gets, as tgt-admin gives them: one more than the highest. */
export function nextNumber({ targets }: Config): number {
  return Math.max(0, ...targets.map(({ tid }) => tid ?? 0)) + 1;
}
