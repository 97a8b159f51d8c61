import { inventoryDocument, parseInventory } from "./config/parse-config.ts";
import { type ConfigDocument, writeDocument } from "./config/document.ts";
import { EMPTY_INVENTORY, type Inventory } from "./config/inventory.ts";
import { ConfigError } from "./config/report.ts";
import { messageOf } from "./start-error.ts";

const FORMAT = "thinlun state";

/** Version 1 had identities alone. */
const VERSION = 2;

const DECIMAL = /^\d{1,20}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where a volume lay when it was open last. Pools have none: their devices say which pool they are of. */
export type Place =
  | {
      readonly driver: "raw";
      /** Absolute. */
      readonly path: string;
      /** Left out: it is a device, or was not there. */
      readonly file?: FileMark;
    }
  | { readonly driver: "thin"; readonly pool: string }
  | { readonly driver: "memory" | "null" };

/** What a file keeps under another name. Decimal numbers: they have up to 64 bits. */
export interface FileMark {
  readonly inode: string;
  /** Nanoseconds since 1970; 0: the file system does not know. */
  readonly bornNs: string;
}

/** What has or had a name. */
export interface Disk {
  readonly uuid: string;
  /** It was open once, so there is, or was, a disk that initiators know by this identity. */
  readonly made: boolean;
  /** Left out: nobody has kept it. */
  readonly place?: Place;
}

/** What is remembered of a volume or a pool, by its name. */
export interface Known extends Disk {
  /** What had the name before, elsewhere, the latest first: it may come back. */
  readonly former?: readonly Disk[];
}

/**
 * A volume that is being made, or renamed, for a change of the inventory: where that is not kept, it is taken back. `name`: of the
 * configuration.
 */
export type Creation =
  | {
      readonly kind: "volume";
      readonly name: string;
      readonly pool: string;
      /** In the pool. */
      readonly itsName: string;
      readonly uuid: string;
    }
  | {
      readonly kind: "file";
      readonly name: string;
      readonly path: string;
      readonly sizeBytes: number;
    }
  | {
      readonly kind: "renaming";
      readonly name: string;
      readonly pool: string;
      readonly uuid: string;
      /** Both in the pool. */
      readonly from: string;
      readonly to: string;
    };

/** What a daemon has to remember. Names that the configuration has no more are kept: they may come back. */
export interface State {
  readonly volumes: ReadonlyMap<string, Known>;
  readonly pools: ReadonlyMap<string, Known>;
  readonly inventory: Inventory;
  /** The one before a change in two steps of which the first is in effect: what a start goes back to. Left out: there is none. */
  readonly backTo?: Inventory;
  readonly creations: readonly Creation[];
  /** Of targets to which nobody has said one, by name. */
  readonly numbers: ReadonlyMap<string, number>;
}

export const EMPTY_STATE: State = {
  volumes: new Map(),
  pools: new Map(),
  inventory: EMPTY_INVENTORY,
  creations: [],
  numbers: new Map(),
};

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The file's content, checked; a text says what is wrong with it. */
export function decodeState(text: string): State | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return `it is not JSON (${messageOf(error)})`;
  }
  if (!isRecord(document) || document["format"] !== FORMAT) return "it is not a state file";
  const version = document["version"];
  if (typeof version !== "number" || version < 1) return "it has no version";
  if (version > VERSION) return `it was written by a newer version of thinlun (format ${version})`;
  const volumes = decodeSection(document["volumes"], "volume");
  if (typeof volumes === "string") return volumes;
  // States from before there were pools have none.
  const pools = decodeSection(document["pools"] ?? {}, "pool");
  if (typeof pools === "string") return pools;
  const inventory = decodeInventory(document["inventory"] ?? {});
  if (typeof inventory === "string") return inventory;
  const backTo = document["backTo"] === undefined ? undefined : decodeInventory(document["backTo"]);
  if (typeof backTo === "string") return backTo;
  const creations = decodeCreations(document["creations"] ?? []);
  if (typeof creations === "string") return creations;
  const numbers = decodeNumbers(document["numbers"] ?? {});
  if (typeof numbers === "string") return numbers;
  const state = { volumes, pools, inventory, creations, numbers };
  return backTo === undefined ? state : { ...state, backTo };
}

function decodeNumbers(entries: unknown): ReadonlyMap<string, number> | string {
  if (!isRecord(entries)) return "its numbers of targets are no map";
  const numbers = new Map<string, number>();
  for (const [name, tid] of Object.entries(entries)) {
    const isNumber = typeof tid === "number" && Number.isSafeInteger(tid) && tid > 0;
    if (!isNumber) return `the number of the target "${name}" is none`;
    numbers.set(name, tid);
  }
  return numbers;
}

function decodeSection(entries: unknown, what: string): ReadonlyMap<string, Known> | string {
  if (!isRecord(entries)) return `it has no ${what}s`;
  const section = new Map<string, Known>();
  for (const [name, entry] of Object.entries(entries)) {
    const { former = [] } = isRecord(entry) ? entry : {};
    const disks = Array.isArray(former) ? [entry, ...(former as readonly unknown[])] : [null];
    const [latest, ...others] = disks.map((one) => decodeDisk(isRecord(one) ? one : {}));
    if (latest === undefined || latest === "uuid") return `its ${what} "${name}" has no uuid`;
    const isWhole = (disk: Disk | string): disk is Disk => typeof disk !== "string";
    if (!isWhole(latest) || !others.every(isWhole)) {
      return `it does not say where its ${what} "${name}" was`;
    }
    section.set(name, others.length === 0 ? latest : { ...latest, former: others });
  }
  return section;
}

/** A text says what is wrong. */
function decodeDisk(entry: Readonly<Record<string, unknown>>): Disk | "uuid" | "place" {
  const { uuid, made } = entry;
  if (typeof uuid !== "string" || !UUID.test(uuid)) return "uuid";
  const disk = { uuid, made: made === true };
  if (entry["place"] === undefined) return disk;
  const place = decodePlace(isRecord(entry["place"]) ? entry["place"] : {});
  return place === null ? "place" : { ...disk, place };
}

function decodePlace(entry: Readonly<Record<string, unknown>>): Place | null {
  const { driver, path, pool, file } = entry;
  if (driver === "memory" || driver === "null") return { driver };
  if (driver === "thin") return typeof pool === "string" ? { driver, pool } : null;
  if (driver !== "raw" || typeof path !== "string") return null;
  if (file === undefined) return { driver, path };
  const { inode, bornNs } = isRecord(file) ? file : {};
  if (typeof inode !== "string" || typeof bornNs !== "string") return null;
  return DECIMAL.test(inode) && DECIMAL.test(bornNs)
    ? { driver, path, file: { inode, bornNs } }
    : null;
}

function decodeInventory(document: unknown): Inventory | string {
  if (!isRecord(document)) return "its inventory is no map";
  try {
    return parseInventory({
      fileName: "inventory",
      text: JSON.stringify(document),
      // Paths in it are absolute, secrets are in it themselves.
      folder: "/",
      readSecretFile: () => {
        throw new Error("the state points to no files");
      },
    });
  } catch (error) {
    if (error instanceof ConfigError)
      return error.findings.map(({ message }) => message).join("; ");
    throw error;
  }
}

function decodeCreations(entries: unknown): readonly Creation[] | string {
  if (!Array.isArray(entries)) return "its creations are no list";
  const creations: Creation[] = [];
  for (const entry of entries as readonly unknown[]) {
    const creation = decodeCreation(isRecord(entry) ? entry : {});
    if (creation === null) return "one of its creations is not understood";
    creations.push(creation);
  }
  return creations;
}

function decodeCreation(entry: Readonly<Record<string, unknown>>): Creation | null {
  const { kind, name, pool, itsName, uuid, path, sizeBytes, from, to } = entry;
  if (typeof name !== "string") return null;
  if (kind === "renaming" && typeof from === "string" && typeof to === "string") {
    const isWhole = typeof pool === "string" && typeof uuid === "string";
    return isWhole ? { kind, name, pool, uuid, from, to } : null;
  }
  if (kind === "file" && typeof path === "string" && typeof sizeBytes === "number") {
    return { kind, name, path, sizeBytes };
  }
  const isVolume = kind === "volume" && typeof pool === "string" && typeof itsName === "string";
  return isVolume && typeof uuid === "string" ? { kind, name, pool, itsName, uuid } : null;
}

/** The text that {@link decodeState} reads back, with all secrets. */
export function encodeState(state: State): string {
  const { volumes, pools, inventory, backTo, creations, numbers } = state;
  const document = {
    format: FORMAT,
    version: VERSION,
    volumes: sectionDocument(volumes),
    pools: sectionDocument(pools),
    inventory: inventoryDocument(inventory),
    ...(backTo === undefined ? {} : { backTo: inventoryDocument(backTo) }),
    creations: creations.map((creation) => ({ ...creation })),
    numbers: Object.fromEntries(numbers),
  };
  return `${writeDocument(document)}\n`;
}

function sectionDocument(section: ReadonlyMap<string, Known>): ConfigDocument {
  return Object.fromEntries(
    [...section].map(([name, { former, ...latest }]) => {
      const document = diskDocument(latest);
      return [
        name,
        former === undefined ? document : { ...document, former: former.map(diskDocument) },
      ];
    }),
  );
}

function diskDocument({ uuid, made, place }: Disk): ConfigDocument {
  return { uuid, made, ...(place === undefined ? {} : { place: placeDocument(place) }) };
}

function placeDocument(place: Place): ConfigDocument {
  if (place.driver !== "raw") return { ...place };
  const { file, ...others } = place;
  return file === undefined ? others : { ...others, file: { ...file } };
}
