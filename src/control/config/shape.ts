import { isMap, isScalar, isSeq, type Pair } from "yaml";
import { nearest } from "./nearest.ts";
import { pathOf, type Report } from "./report.ts";

/**
 * A description of what a part of the configuration looks like, which reads it too: it gives the value, or undefined
 * after it has reported why there is none. A shape's values are never undefined.
 */
export type Shape<T> = (node: unknown, path: string, report: Report) => T | undefined;

/** A key of a map: the shape of its value, and what stands in where it is not there. */
export interface Field<T> {
  readonly shape: Shape<T>;
  /** Undefined: the key has to be there. */
  readonly otherwise: T | undefined;
}

export function required<T>(shape: Shape<T>): Field<T> {
  return { shape, otherwise: undefined };
}

export function optional<T, D extends T | null>(shape: Shape<T>, otherwise: D): Field<T | D> {
  return { shape, otherwise };
}

type FieldsOf<T> = { readonly [Key in keyof T]-?: Field<T[Key]> };

/** How a value that has the wrong type is called in the message. */
function described(node: unknown): string {
  if (isMap(node)) return "a map";
  if (isSeq(node)) return "a list";
  const value: unknown = isScalar(node) ? node.value : node;
  if (typeof value === "string") return `the text "${value}"`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return "nothing";
}

function keyText(pair: Pair): string {
  const key: unknown = isScalar(pair.key) ? pair.key.value : undefined;
  return typeof key === "string" || typeof key === "number" ? String(key) : "";
}

function keyOffset(pair: Pair): number | undefined {
  return isScalar(pair.key) ? pair.key.range?.[0] : undefined;
}

function reportUnknown(pair: Pair, known: readonly string[], path: string, report: Report): void {
  const key = keyText(pair);
  const meant = nearest(key, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean "${meant}"?`;
  report.problemAt(keyOffset(pair), path, `unknown key "${key}"; ${hint}`);
}

/** Of a map with these keys and no others: the values that are all right, undefined where it is no map. */
export function partialObject<T extends object>(fields: FieldsOf<T>): Shape<Partial<T>> {
  const keys = Object.keys(fields) as (keyof T & string)[];
  return (node, path, report) => {
    const map = report.enter(node, path);
    if (!isMap(map)) {
      report.problem(path, `must be a map with the keys ${keys.join(", ")}, not ${described(map)}`);
      return undefined;
    }
    for (const pair of map.items) {
      if (!keys.some((key) => key === keyText(pair))) reportUnknown(pair, keys, path, report);
    }
    const result: Partial<T> = {};
    for (const key of keys) {
      const value = readField(fields[key], map.items, key, { path, report });
      if (value !== undefined) result[key] = value;
    }
    return result;
  };
}

/** A map with these keys and no others, all of them with good values. */
export function object<T extends object>(fields: FieldsOf<T>): Shape<T> {
  const partial = partialObject(fields);
  return (node, path, report) => {
    const problemsBefore = report.problems.length;
    const result = partial(node, path, report);
    return report.problems.length === problemsBefore ? (result as T) : undefined;
  };
}

function readField<T>(
  field: Field<T>,
  pairs: readonly Pair[],
  key: string,
  { path, report }: { path: string; report: Report },
): T | undefined {
  const pair = pairs.find((candidate) => keyText(candidate) === key);
  if (pair === undefined) {
    if (field.otherwise === undefined) report.problem(path, `the key "${key}" is missing`);
    return field.otherwise;
  }
  const value = pair.value;
  if (value === null || (isScalar(value) && value.value === null)) {
    report.problemAt(keyOffset(pair), pathOf(path, key), "has no value");
    return undefined;
  }
  return field.shape(value, pathOf(path, key), report);
}

/** A map whose keys are names of the operator's choice. */
export function named<T>(name: Shape<string>, shape: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return (node, path, report) => {
    const map = report.enter(node, path);
    if (!isMap(map)) {
      report.problem(path, `must be a map from names to settings, not ${described(map)}`);
      return undefined;
    }
    const result = new Map<string, T>();
    for (const pair of map.items) {
      const keyPath = pathOf(path, keyText(pair));
      const key = name(pair.key, keyPath, report);
      const value = shape(pair.value, keyPath, report);
      if (key === undefined || value === undefined) continue;
      report.place(value, keyPath);
      result.set(key, value);
    }
    report.setNames(path, map.items.map(keyText));
    return result;
  };
}

/** A map that one of its keys chooses the shape of. */
export function chosenBy<T>(key: string, shapes: Readonly<Record<string, Shape<T>>>): Shape<T> {
  const choices = Object.keys(shapes);
  return (node, path, report) => {
    const map = report.enter(node, path);
    if (!isMap(map)) {
      report.problem(path, `must be a map with the key "${key}", not ${described(map)}`);
      return undefined;
    }
    if (!map.has(key)) {
      report.problem(path, `the key "${key}" is missing; it is one of ${choices.join(", ")}`);
      return undefined;
    }
    const choice = choiceOf(choices)(map.get(key, true), pathOf(path, key), report);
    return choice === undefined ? undefined : shapes[choice]?.(map, path, report);
  };
}

/** A list; where it must not be empty, `emptyAdvice` says why. Entries with problems are left out of the value. */
export function listOf<T>(
  shape: Shape<T>,
  countMax: number,
  emptyAdvice?: string,
): Shape<readonly T[]> {
  return (node, path, report) => {
    const list = report.enter(node, path);
    if (!isSeq(list)) {
      report.problem(path, `must be a list, not ${described(list)}`);
      return undefined;
    }
    if (list.items.length > countMax) {
      report.problem(path, `has ${list.items.length} entries; at most ${countMax} are allowed`);
      return undefined;
    }
    if (list.items.length === 0 && emptyAdvice !== undefined) {
      report.problem(path, `is empty; ${emptyAdvice}`);
      return undefined;
    }
    const values: T[] = [];
    for (const [index, item] of list.items.entries()) {
      const itemPath = `${path}.${index + 1}`;
      const value = shape(item, itemPath, report);
      if (value === undefined) continue;
      report.place(value, itemPath);
      values.push(value);
    }
    return values;
  };
}

export const text: Shape<string> = (node, path, report) => {
  const scalar = report.enter(node, path);
  if (isScalar(scalar) && typeof scalar.value === "string") return scalar.value;
  const quote = isScalar(scalar) && scalar.value !== null ? "; put it in quotes" : "";
  report.problem(path, `must be a text, not ${described(scalar)}${quote}`);
  return undefined;
};

/** A text that `check` has no complaint about; null is none. */
export function textThat(check: (value: string) => string | null): Shape<string> {
  return mapped(text, (value, fail) => {
    const complaint = check(value);
    return complaint === null ? value : fail(complaint);
  });
}

/** What another shape gives, turned into something else; `fail` reports and gives undefined. */
export function mapped<From, To>(
  shape: Shape<From>,
  convert: (value: From, fail: (message: string) => undefined, report: Report) => To | undefined,
): Shape<To> {
  return (node, path, report) => {
    const value = shape(node, path, report);
    if (value === undefined) return undefined;
    const fail = (message: string): undefined => {
      report.problem(path, message);
    };
    return convert(value, fail, report);
  };
}

export const flag: Shape<boolean> = (node, path, report) => {
  const scalar = report.enter(node, path);
  if (isScalar(scalar) && typeof scalar.value === "boolean") return scalar.value;
  report.problem(path, `must be true or false, not ${described(scalar)}`);
  return undefined;
};

/** True, false, or the one word that says more than true. */
export function flagOr<const Word extends string>(word: Word): Shape<boolean | Word> {
  return (node, path, report) => {
    const scalar = report.enter(node, path);
    const value: unknown = isScalar(scalar) ? scalar.value : undefined;
    if (typeof value === "boolean") return value;
    if (value === word) return word;
    report.problem(path, `must be true, false or ${word}, not ${described(scalar)}`);
    return undefined;
  };
}

export function integer(least: number, most: number): Shape<number> {
  return (node, path, report) => {
    const scalar = report.enter(node, path);
    const value: unknown = isScalar(scalar) ? scalar.value : undefined;
    const fits = typeof value === "number" && Number.isSafeInteger(value);
    if (fits && value >= least && value <= most) return value;
    report.problem(
      path,
      `must be a whole number from ${least} to ${most}, not ${described(scalar)}`,
    );
    return undefined;
  };
}

/** A text or number, as the text that was written: "512" and 512 are the same size. */
export const textOrNumber: Shape<string> = (node, path, report) => {
  const scalar = report.enter(node, path);
  if (isScalar(scalar) && typeof scalar.value === "number") {
    return scalar.source ?? String(scalar.value);
  }
  return text(node, path, report);
};

export function choiceOf<const Choice extends string>(choices: readonly Choice[]): Shape<Choice> {
  return mapped(text, (value, fail) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    const meant = nearest(value, choices);
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    return fail(`must be one of ${choices.join(", ")}, not "${value}"${hint}`);
  });
}
