import { toByteString } from "../byte-words.ts";

/** A tree of plain objects, lists, maps and values, all of its texts as strings with one character a byte. */
export function inBytes<T>(tree: T): T {
  return convert(tree) as T;
}

function convert(value: unknown): unknown {
  if (typeof value === "string") return toByteString(value);
  if (Array.isArray(value)) return value.map(convert);
  if (value instanceof Map) {
    return new Map([...value].map(([key, each]) => [convert(key), convert(each)]));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, convert(each)]));
}
