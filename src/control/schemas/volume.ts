import { DATA_BYTES_MAX } from "./limits.ts";
import {
  anyText,
  BYTES,
  type FieldsOf,
  flag,
  list,
  natural,
  NOTHING,
  type Nothing,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

export interface VolumeReport {
  readonly pool: string;
  readonly name: string;
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly mappedBytes: number;
  /** Mapped since it was copied last. */
  readonly ownedBytes: number;
  readonly reservedBytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  readonly readOnly: boolean;
  readonly isSnapshot: boolean;
  /** The name of the volume that it was copied from; null: none, or gone. */
  readonly origin: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The daemon serves it. */
  readonly isServed: boolean;
}

export const VOLUME_REPORT: Schema<VolumeReport> = record<VolumeReport>(
  {
    pool: anyText("the pool that it lies in"),
    name: anyText("its name in the pool"),
    uuid: anyText("what it is known by to initiators, whatever its name"),
    sizeBytes: natural("what initiators see"),
    mappedBytes: natural("what of it is mapped"),
    ownedBytes: natural("mapped since it was copied last"),
    reservedBytes: natural("kept for it in the pool"),
    quotaBytes: natural("the most that it may map; 0: no limit"),
    readOnly: flag("it cannot be written"),
    isSnapshot: flag("it was made as a snapshot"),
    origin: orNull(anyText("the volume that it was copied from; null: none, or gone")),
    createdAt: anyText("ISO 8601"),
    isServed: flag("initiators can log in to it"),
  },
  "VolumeReport",
);

export interface ExtentReport {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly mapped: boolean;
}

/** One page of runs; the next page begins at `nextOffsetBytes`, null: there is none. */
export interface ExtentsReply {
  readonly sizeBytes: number;
  readonly extents: readonly ExtentReport[];
  readonly nextOffsetBytes: number | null;
}

const EXTENTS_REPLY: Schema<ExtentsReply> = record<ExtentsReply>({
  sizeBytes: natural("the size of the volume"),
  extents: list(
    "runs, in order",
    record<ExtentReport>({
      offsetBytes: natural("where the run begins"),
      lengthBytes: natural("how long it is"),
      mapped: flag("it was written; what was not reads as zeros"),
    }),
  ),
  nextOffsetBytes: orNull(natural("where the next page begins; null: there is none")),
});

export interface VolumeArguments {
  readonly pool: string;
  readonly volume: string;
}

export const VOLUME_FIELDS: FieldsOf<VolumeArguments> = {
  pool: text("a pool, by name or UUID"),
  volume: text("a volume of it, by name or UUID"),
};

export const VOLUME_ARGUMENTS: Schema<VolumeArguments> = record<VolumeArguments>(VOLUME_FIELDS);

export interface RangeArguments extends VolumeArguments {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const RANGE_FIELDS: FieldsOf<RangeArguments> = {
  ...VOLUME_FIELDS,
  offsetBytes: natural("where the range begins"),
  lengthBytes: natural("how long it is"),
};

export interface ListArguments {
  readonly pool?: string;
}

export const LIST_ARGUMENTS: Schema<ListArguments> = record<ListArguments>({
  pool: optional(text("of this pool only, by name or UUID")),
});

interface CreateArguments extends VolumeArguments {
  readonly sizeBytes: number;
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
}

interface ResizeArguments extends VolumeArguments {
  readonly sizeBytes: number;
  /** What lies past the new end is lost. */
  readonly shrink?: boolean;
}

interface RenameArguments extends VolumeArguments {
  readonly name: string;
}

interface SetArguments extends VolumeArguments {
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
  readonly readOnly?: boolean;
}

interface WriteArguments extends VolumeArguments {
  readonly offsetBytes: number;
}

export interface VolumeProtocol {
  "volume/list": { readonly arguments: ListArguments; readonly reply: readonly VolumeReport[] };
  "volume/show": { readonly arguments: VolumeArguments; readonly reply: VolumeReport };
  "volume/create": { readonly arguments: CreateArguments; readonly reply: VolumeReport };
  "volume/resize": { readonly arguments: ResizeArguments; readonly reply: VolumeReport };
  "volume/rename": { readonly arguments: RenameArguments; readonly reply: VolumeReport };
  "volume/set": { readonly arguments: SetArguments; readonly reply: VolumeReport };
  "volume/delete": { readonly arguments: VolumeArguments; readonly reply: Nothing };
  "volume/extents": { readonly arguments: RangeArguments; readonly reply: ExtentsReply };
  /** Of volumes that are read-only: others change meanwhile. */
  "volume/read": { readonly arguments: RangeArguments; readonly reply: Uint8Array };
  /** Only of volumes that are being imported. The bytes are the request's payload. */
  "volume/write": { readonly arguments: WriteArguments; readonly reply: Nothing };
  /** Makes what was written durable. */
  "volume/sync": { readonly arguments: VolumeArguments; readonly reply: Nothing };
}

const RESERVED = optional(natural("kept for it in the pool"));
const QUOTA = optional(natural("the most that it may map; 0: no limit"));

export const VOLUME_SCHEMAS: SchemasOf<VolumeProtocol> = {
  "volume/list": {
    arguments: LIST_ARGUMENTS,
    reply: list("volumes and snapshots", VOLUME_REPORT),
  },
  "volume/show": { arguments: VOLUME_ARGUMENTS, reply: VOLUME_REPORT },
  "volume/create": {
    arguments: record<CreateArguments>({
      ...VOLUME_FIELDS,
      volume: text("the name that it gets"),
      sizeBytes: natural("what initiators see"),
      reservedBytes: RESERVED,
      quotaBytes: QUOTA,
    }),
    reply: VOLUME_REPORT,
  },
  "volume/resize": {
    arguments: record<ResizeArguments>({
      ...VOLUME_FIELDS,
      sizeBytes: natural("the new size"),
      shrink: optional(flag("it may become smaller: what lies past the new end is lost")),
    }),
    reply: VOLUME_REPORT,
  },
  "volume/rename": {
    arguments: record<RenameArguments>({ ...VOLUME_FIELDS, name: text("the name that it gets") }),
    reply: VOLUME_REPORT,
  },
  "volume/set": {
    arguments: record<SetArguments>({
      ...VOLUME_FIELDS,
      reservedBytes: RESERVED,
      quotaBytes: QUOTA,
      readOnly: optional(flag("whether it is protected from being written")),
    }),
    reply: VOLUME_REPORT,
  },
  "volume/delete": { arguments: VOLUME_ARGUMENTS, reply: NOTHING },
  "volume/extents": { arguments: record<RangeArguments>(RANGE_FIELDS), reply: EXTENTS_REPLY },
  "volume/read": {
    arguments: record<RangeArguments>({
      ...RANGE_FIELDS,
      lengthBytes: natural("how long it is", { maximum: DATA_BYTES_MAX }),
    }),
    reply: BYTES,
  },
  "volume/write": {
    arguments: record<WriteArguments>({
      ...VOLUME_FIELDS,
      offsetBytes: natural("where the payload goes"),
    }),
    reply: NOTHING,
  },
  "volume/sync": { arguments: VOLUME_ARGUMENTS, reply: NOTHING },
};
