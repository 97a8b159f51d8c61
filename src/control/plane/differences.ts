import { isDeepStrictEqual } from "node:util";
import type { AuditedChange } from "../audit.ts";
import type { ConfigDocument, ConfigValue } from "../config/document.ts";
import type { Inventory } from "../config/inventory.ts";
import { inventoryDocument } from "../config/parse-config.ts";

/** What a change does to one thing of the inventory. */
export interface Difference {
  readonly action: "create" | "change" | "delete";
  readonly kind: "portal" | "pool" | "volume" | "target" | "account" | "discovery";
  readonly name: string;
  /** What becomes different of a thing that stays, by its place in the configuration; secrets are not told. */
  readonly fields: readonly FieldDifference[];
}

export interface FieldDifference {
  readonly field: string;
  /** Undefined: there was nothing. */
  readonly before: ConfigValue;
  /** Undefined: there is nothing any more. */
  readonly after: ConfigValue;
}

const KIND_OF_SECTION = {
  portals: "portal",
  pools: "pool",
  volumes: "volume",
  targets: "target",
  discovery: "discovery",
  accounts: "account",
} as const satisfies Readonly<Record<keyof Inventory, Difference["kind"]>>;

/** By what the entries of a list are told apart. */
const NAME_KEY: Readonly<Record<string, string>> = {
  portals: "listen",
  targets: "name",
  accounts: "user",
  luns: "lun",
};

const HIDDEN = "(hidden)";

/** What is different between two inventories, in the order of the configuration. */
export function differencesOf(before: Inventory, after: Inventory): readonly Difference[] {
  const [old, now] = [inventoryDocument(before), inventoryDocument(after)];
  const sections = Object.keys(KIND_OF_SECTION) as (keyof Inventory)[];
  return sections.flatMap((section) => {
    const kind = KIND_OF_SECTION[section];
    if (section === "discovery") return compared(kind, "discovery", old[section], now[section]);
    const [left, right] = [byName(section, old[section]), byName(section, now[section])];
    const names = new Set([...left.keys(), ...right.keys()]);
    return [...names].flatMap((name) => compared(kind, name, left.get(name), right.get(name)));
  });
}

/** Differences as the audit has them: of what comes and goes, too, it tells what it is. */
export function audited(
  before: Inventory,
  after: Inventory,
  differences: readonly Difference[],
): readonly AuditedChange[] {
  const [old, now] = [inventoryDocument(before), inventoryDocument(after)];
  return differences.map(({ action, kind, name, fields }) => {
    if (action === "change") return { action, kind, name, fields };
    const thing = thingOf(action === "create" ? now : old, kind, name);
    return { action, kind, name, thing: withoutSecrets("", thing) };
  });
}

function thingOf(document: ConfigDocument, kind: Difference["kind"], name: string): ConfigValue {
  const sections = Object.entries(KIND_OF_SECTION);
  const section = sections.find(([, one]) => one === kind)?.[0] ?? "";
  if (section === "discovery") return document[section];
  return byName(section, document[section]).get(name);
}

function isMap(value: ConfigValue): value is ConfigDocument {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The entries of a map, or of a list of maps that have names. */
function byName(section: string, value: ConfigValue): Map<string, ConfigValue> {
  if (isMap(value)) return new Map(Object.entries(value));
  const key = NAME_KEY[section] ?? "";
  const entries = Array.isArray(value) ? (value as readonly ConfigValue[]) : [];
  return new Map(entries.map((entry) => [nameOf(entry, key), entry]));
}

function nameOf(entry: ConfigValue, key: string): string {
  const name = isMap(entry) ? entry[key] : entry;
  return typeof name === "string" || typeof name === "number" ? String(name) : "";
}

function compared(
  kind: Difference["kind"],
  name: string,
  before: ConfigValue,
  after: ConfigValue,
): readonly Difference[] {
  if (isDeepStrictEqual(before ?? null, after ?? null)) return [];
  const [old, now] = [before ?? undefined, after ?? undefined];
  if (old === undefined) return [{ action: "create", kind, name, fields: [] }];
  if (now === undefined) return [{ action: "delete", kind, name, fields: [] }];
  return [{ action: "change", kind, name, fields: fieldsOf("", old, now) }];
}

function fieldsOf(field: string, before: ConfigValue, after: ConfigValue): FieldDifference[] {
  if (isDeepStrictEqual(before ?? null, after ?? null)) return [];
  const step = field.slice(field.lastIndexOf(".") + 1);
  const isNamed = NAME_KEY[step] !== undefined && Array.isArray(before) && Array.isArray(after);
  if (isNamed || (isMap(before) && isMap(after))) {
    const [left, right] = [byName(step, before), byName(step, after)];
    return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
      fieldsOf(field === "" ? key : `${field}.${key}`, left.get(key), right.get(key)),
    );
  }
  return [{ field, before: withoutSecrets(step, before), after: withoutSecrets(step, after) }];
}

function withoutSecrets(key: string, value: ConfigValue): ConfigValue {
  if (value === undefined || value === null) return undefined;
  if (key === "password") return HIDDEN;
  if (Array.isArray(value)) {
    return (value as readonly ConfigValue[]).map((entry) => withoutSecrets("", entry) ?? null);
  }
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, withoutSecrets(name, inner)]);
  return Object.fromEntries(entries) as ConfigDocument;
}

/** A line for people: what happens to which thing. */
export function describeDifference({ action, kind, name, fields }: Difference): string {
  const changes = fields.map(
    ({ field, before, after }) => `${field}: ${shown(before)} -> ${shown(after)}`,
  );
  return `${action} ${kind} ${name}${changes.length === 0 ? "" : ` (${changes.join(", ")})`}`;
}

function shown(value: ConfigValue): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
