import { inventoryDocument, parseInventory } from "./config/parse-config.ts";
import { writeDocument } from "./config/document.ts";
import { EMPTY_INVENTORY, type Inventory } from "./config/inventory.ts";
import { ConfigError } from "./config/report.ts";
import { messageOf } from "./start-error.ts";

const FORMAT = "thinlun state";

/** Version 1 had identities alone. */
const VERSION = 2;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is remembered of a volume or a pool. */
export interface Known {
  readonly uuid: string;
  /** It was open once, so there is, or was, a disk that initiators know by this identity. */
  readonly made: boolean;
}

/** A volume that is being made for a change of the inventory: where that is not kept, it is taken back. `name`: of the configuration. */
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
    };

/** What a daemon has to remember. Names that the configuration has no more are kept: they may come back. */
export interface State {
  readonly volumes: ReadonlyMap<string, Known>;
  readonly pools: ReadonlyMap<string, Known>;
  readonly inventory: Inventory;
  readonly creations: readonly Creation[];
}

export const EMPTY_STATE: State = {
  volumes: new Map(),
  pools: new Map(),
  inventory: EMPTY_INVENTORY,
  creations: [],
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
  const creations = decodeCreations(document["creations"] ?? []);
  return typeof creations === "string" ? creations : { volumes, pools, inventory, creations };
}

function decodeSection(entries: unknown, what: string): ReadonlyMap<string, Known> | string {
  if (!isRecord(entries)) return `it has no ${what}s`;
  const section = new Map<string, Known>();
  for (const [name, entry] of Object.entries(entries)) {
    const { uuid, made } = isRecord(entry) ? entry : {};
    if (typeof uuid !== "string" || !UUID.test(uuid)) return `its ${what} "${name}" has no uuid`;
    section.set(name, { uuid, made: made === true });
  }
  return section;
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
  const { kind, name, pool, itsName, uuid, path, sizeBytes } = entry;
  if (typeof name !== "string") return null;
  if (kind === "file" && typeof path === "string" && typeof sizeBytes === "number") {
    return { kind, name, path, sizeBytes };
  }
  const isVolume = kind === "volume" && typeof pool === "string" && typeof itsName === "string";
  return isVolume && typeof uuid === "string" ? { kind, name, pool, itsName, uuid } : null;
}

/** The text that {@link decodeState} reads back, with all secrets. */
export function encodeState({ volumes, pools, inventory, creations }: State): string {
  const document = {
    format: FORMAT,
    version: VERSION,
    volumes: sectionDocument(volumes),
    pools: sectionDocument(pools),
    inventory: inventoryDocument(inventory),
    creations: creations.map((creation) => ({ ...creation })),
  };
  return `${writeDocument(document)}\n`;
}

function sectionDocument(section: ReadonlyMap<string, Known>): {
  readonly [name: string]: { readonly uuid: string; readonly made: boolean };
} {
  return Object.fromEntries([...section].map(([name, { uuid, made }]) => [name, { uuid, made }]));
}
