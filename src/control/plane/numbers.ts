import type { Config } from "../config/config.ts";

/** The numbers by which tgt's commands know targets. One that was given stays as long as the daemon runs. */
export class TargetNumbers {
  readonly #given = new Map<string, number>();

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

  /** Forgets those of targets that are not there any more. */
  retain({ targets }: Config): void {
    const names = new Set(targets.map(({ name }) => name));
    for (const name of this.#given.keys()) if (!names.has(name)) this.#given.delete(name);
  }
}

/** The number that a new target gets, as tgt-admin gives them: one more than the highest. */
export function nextNumber({ targets }: Config): number {
  return Math.max(0, ...targets.map(({ tid }) => tid ?? 0)) + 1;
}
