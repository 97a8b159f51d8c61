import { LIST_ENTRIES_MAX } from "./limits.ts";
import {
  anyText,
  type FieldsOf,
  flag,
  list,
  natural,
  NOTHING,
  type Nothing,
  number,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";
import { VOLUME_REPORT, type VolumeReport } from "./volume.ts";

export interface DeviceReport {
  readonly path: string;
  readonly uuid: string;
  readonly sizeBytes: number;
}

/** Where a pool's space is. */
export interface SpaceReport {
  readonly capacityBytes: number;
  /** The sizes of all volumes that can be written. */
  readonly virtualBytes: number;
  /** What the volumes map; what is shared counts once for each. */
  readonly mappedBytes: number;
  readonly dataBytes: number;
  readonly sharedBytes: number;
  readonly metadataBytes: number;
  /** Kept for volumes that have not used it yet. */
  readonly reservedBytes: number;
  readonly freeBytes: number;
  /** What a volume without a reservation could still take. */
  readonly usableBytes: number;
}

const SPACE_REPORT: Schema<SpaceReport> = record<SpaceReport>(
  {
    capacityBytes: natural("all that there is"),
    virtualBytes: natural("the sizes of all volumes that can be written"),
    mappedBytes: natural("what the volumes map; what is shared counts once for each"),
    dataBytes: natural("what their data take"),
    sharedBytes: natural("data that several volumes have in common"),
    metadataBytes: natural("what maps and journal take"),
    reservedBytes: natural("kept for volumes that have not used it yet"),
    freeBytes: natural("what nothing has taken"),
    usableBytes: natural("what a volume without a reservation could still take"),
  },
  "SpaceReport",
);

export interface PoolReport {
  readonly name: string;
  readonly uuid: string;
  readonly extentBytes: number;
  readonly devices: readonly DeviceReport[];
  readonly space: SpaceReport;
  /** Volumes and snapshots. */
  readonly volumeCount: number;
  /** 0: no limit. */
  readonly overcommitMax: number;
  /** Shares of 1. */
  readonly thresholds: readonly number[];
  /** What has stopped the pool, or null. */
  readonly failure: string | null;
}

const POOL_FIELDS: FieldsOf<PoolReport> = {
  name: anyText("its name"),
  uuid: anyText("what it is known by, whatever its name"),
  extentBytes: natural("the unit of allocation"),
  devices: list(
    "what it lies on",
    record<DeviceReport>({
      path: anyText("the path of the device or image file"),
      uuid: anyText("of the device's label"),
      sizeBytes: natural("what of it is in use"),
    }),
  ),
  space: SPACE_REPORT,
  volumeCount: natural("volumes and snapshots"),
  overcommitMax: number("how many times its capacity may be promised; 0: no limit"),
  thresholds: list("shares of 1 at which it warns", number("a share of 1")),
  failure: orNull(anyText("what has stopped it; null: nothing")),
};

const POOL_REPORT: Schema<PoolReport> = record<PoolReport>(POOL_FIELDS, "PoolReport");

interface MapCell {
  readonly data: number;
  readonly metadata: number;
}

/** The pool's space in equal pieces, in order; shares of 1. What is left is free. */
export interface UsageMap {
  readonly cellBytes: number;
  readonly cells: readonly MapCell[];
}

const USAGE_MAP: Schema<UsageMap> = record<UsageMap>({
  cellBytes: natural("how large a piece is"),
  cells: list(
    "the pool's space in equal pieces, in order",
    record<MapCell>({
      data: number("the share that data take"),
      metadata: number("the share that metadata take"),
    }),
  ),
});

/** A pool, what is in it and where. */
interface PoolContents extends PoolReport {
  readonly volumes: readonly VolumeReport[];
  readonly map: UsageMap;
}

interface PoolArguments {
  readonly pool: string;
}

interface ShowArguments extends PoolArguments {
  readonly cells?: number;
}

interface CheckReply {
  readonly isSound: boolean;
  readonly findings: readonly string[];
}

interface ExtendArguments extends PoolArguments {
  /** A device to add; with `createBytes` an image file that is made where there is none. */
  readonly add?: string;
  readonly createBytes?: number;
  readonly wipe?: readonly string[];
  readonly acceptData?: boolean;
  /** A device of the pool that has grown; an image file is made `growBytes` large first. */
  readonly grow?: string;
  readonly growBytes?: number;
}

interface ExtendReply {
  readonly pool: PoolReport;
  /** The manifest of the backup of what was wiped. */
  readonly backup: string | null;
}

interface SetArguments extends PoolArguments {
  readonly overcommitMax?: number;
  readonly thresholds?: readonly number[];
}

interface CreateArguments extends PoolArguments {
  readonly devices: readonly string[];
  /** Of image files that have to be made; absent: all devices are there. */
  readonly createBytes?: number;
  readonly extentBytes?: number;
  readonly overcommitMax?: number;
  readonly direct?: boolean;
  readonly wipe?: readonly string[];
  readonly acceptData?: boolean;
}

interface CreateReply {
  readonly pool: PoolReport;
  /** Manifests of the backups of what was wiped. */
  readonly backups: readonly string[];
}

interface AddArguments extends PoolArguments {
  readonly devices: readonly string[];
  readonly direct?: boolean;
  readonly shared?: boolean;
}

export interface PoolProtocol {
  "pool/list": { readonly arguments: Nothing; readonly reply: readonly PoolReport[] };
  "pool/show": { readonly arguments: ShowArguments; readonly reply: PoolContents };
  "pool/check": { readonly arguments: PoolArguments; readonly reply: CheckReply };
  "pool/extend": { readonly arguments: ExtendArguments; readonly reply: ExtendReply };
  "pool/set": { readonly arguments: SetArguments; readonly reply: PoolReport };
  "pool/create": { readonly arguments: CreateArguments; readonly reply: CreateReply };
  "pool/add": { readonly arguments: AddArguments; readonly reply: PoolReport };
  "pool/remove": { readonly arguments: PoolArguments; readonly reply: Nothing };
}

const POOL: FieldsOf<PoolArguments> = { pool: text("a pool, by name or UUID") };

const DEVICES: Schema<readonly string[]> = list("what it lies on", text("a path"), {
  minItems: 1,
  maxItems: LIST_ENTRIES_MAX,
});
const DIRECT = optional(flag("past the page cache"));

/** The most pieces that a usage map has. */
const MAP_CELLS_MAX = 4096;

export const POOL_SCHEMAS: SchemasOf<PoolProtocol> = {
  "pool/list": { arguments: NOTHING, reply: list("all pools", POOL_REPORT) },
  "pool/show": {
    arguments: record<ShowArguments>({
      ...POOL,
      cells: optional(natural("pieces of the map", { minimum: 1, maximum: MAP_CELLS_MAX })),
    }),
    reply: record<PoolContents>({
      ...POOL_FIELDS,
      volumes: list("volumes and snapshots", VOLUME_REPORT),
      map: USAGE_MAP,
    }),
  },
  "pool/check": {
    arguments: record<PoolArguments>(POOL),
    reply: record<CheckReply>({
      isSound: flag("nothing was found"),
      findings: list("what is wrong", anyText("one thing that is wrong")),
    }),
  },
  "pool/extend": {
    arguments: record<ExtendArguments>({
      ...POOL,
      add: optional(text("a device to add, by its path")),
      createBytes: optional(natural("make an image file of this size for it")),
      wipe: optional(
        list("what may be destroyed on it", text("<type>:<uuid>"), { maxItems: LIST_ENTRIES_MAX }),
      ),
      acceptData: optional(flag("it may hold data of an unknown kind, which are lost")),
      grow: optional(text("a device that has grown, by its path or UUID")),
      growBytes: optional(natural("make its image file this large first")),
    }),
    reply: record<ExtendReply>({
      pool: POOL_REPORT,
      backup: orNull(anyText("the manifest of the backup of what was wiped")),
    }),
  },
  "pool/set": {
    arguments: record<SetArguments>({
      ...POOL,
      overcommitMax: optional(
        number("how many times its capacity may be promised; 0: no limit", { minimum: 0 }),
      ),
      thresholds: optional(
        list("shares of 1 at which it warns", number("a share of 1"), {
          maxItems: LIST_ENTRIES_MAX,
        }),
      ),
    }),
    reply: POOL_REPORT,
  },
  "pool/create": {
    arguments: record<CreateArguments>({
      pool: text("the name that it gets"),
      devices: DEVICES,
      createBytes: optional(natural("make image files of this size where there are none")),
      extentBytes: optional(natural("the unit of allocation, a power of two")),
      overcommitMax: optional(
        number("how many times its capacity may be promised; 0: no limit", { minimum: 0 }),
      ),
      direct: DIRECT,
      wipe: optional(
        list("what may be destroyed on them", text("<type>:<uuid>"), {
          maxItems: LIST_ENTRIES_MAX,
        }),
      ),
      acceptData: optional(flag("they may hold data of an unknown kind, which are lost")),
    }),
    reply: record<CreateReply>({
      pool: POOL_REPORT,
      backups: list("of what was wiped", anyText("the manifest of a backup")),
    }),
  },
  "pool/add": {
    arguments: record<AddArguments>({
      pool: text("its name"),
      devices: DEVICES,
      direct: DIRECT,
      shared: optional(flag("other hosts may reach its devices")),
    }),
    reply: POOL_REPORT,
  },
  "pool/remove": {
    arguments: record<PoolArguments>({ pool: text("a pool, by name") }),
    reply: NOTHING,
  },
};
