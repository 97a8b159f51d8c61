import type { TargetConfig } from "../config/config.ts";

export function byName(targets: readonly TargetConfig[]): ReadonlyMap<string, TargetConfig> {
  return new Map(targets.map((target) => [target.name, target]));
}

/** What the second has and the first has not. */
export function added<T>(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  return new Map([...after].filter(([name]) => !before.has(name)));
}

/** What both have. */
export function pairs<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly (readonly [name: string, was: T, is: T])[] {
  return [...after].flatMap(([name, is]) => {
    const was = before.get(name);
    return was === undefined ? [] : [[name, was, is] as const];
  });
}
