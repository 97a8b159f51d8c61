import { LIST_ENTRIES_MAX } from "./limits.ts";
import {
  choice,
  flag,
  list,
  natural,
  NOTHING,
  type Nothing,
  optional,
  orNull,
  record,
  type SchemasOf,
  text,
} from "./schema.ts";
import {
  LIST_ARGUMENTS,
  type ListArguments,
  VOLUME_ARGUMENTS,
  VOLUME_FIELDS,
  VOLUME_REPORT,
  type VolumeArguments,
  type VolumeReport,
} from "./volume.ts";

/** A range in which two volumes may differ; what is in none of them is equal. `removed`: zeros in the second. */
export interface DifferenceReport {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly kind: "changed" | "added" | "removed";
}

export interface DiffReply {
  /** Of the larger of the two. */
  readonly sizeBytes: number;
  readonly differences: readonly DifferenceReport[];
  readonly nextOffsetBytes: number | null;
}

interface Copy {
  readonly volume: string;
  readonly name: string;
}

interface CreateArguments {
  readonly pool: string;
  readonly copies: readonly Copy[];
  /** Clones instead of snapshots. */
  readonly writable?: boolean;
}

interface RollbackArguments extends VolumeArguments {
  readonly source: string;
  /** The source need not have been made from the volume, nor the volume from it. */
  readonly unrelated?: boolean;
}

interface DiffArguments {
  readonly pool: string;
  readonly from: string;
  readonly to: string;
  readonly offsetBytes: number;
}

export interface SnapshotProtocol {
  "snapshot/list": { readonly arguments: ListArguments; readonly reply: readonly VolumeReport[] };
  "snapshot/create": {
    readonly arguments: CreateArguments;
    readonly reply: readonly VolumeReport[];
  };
  "snapshot/delete": { readonly arguments: VolumeArguments; readonly reply: Nothing };
  "snapshot/rollback": { readonly arguments: RollbackArguments; readonly reply: VolumeReport };
  "snapshot/diff": { readonly arguments: DiffArguments; readonly reply: DiffReply };
}

export const SNAPSHOT_SCHEMAS: SchemasOf<SnapshotProtocol> = {
  "snapshot/list": { arguments: LIST_ARGUMENTS, reply: list("snapshots", VOLUME_REPORT) },
  "snapshot/create": {
    arguments: record<CreateArguments>({
      pool: VOLUME_FIELDS.pool,
      copies: list(
        "what is copied, all at one instant",
        record<Copy>({
          volume: VOLUME_FIELDS.volume,
          name: text("the name that the copy gets"),
        }),
        { minItems: 1, maxItems: LIST_ENTRIES_MAX },
      ),
      writable: optional(flag("clones instead of snapshots")),
    }),
    reply: list("the copies, in the same order", VOLUME_REPORT),
  },
  "snapshot/delete": { arguments: VOLUME_ARGUMENTS, reply: NOTHING },
  "snapshot/rollback": {
    arguments: record<RollbackArguments>({
      ...VOLUME_FIELDS,
      source: text("the volume or snapshot that it becomes, by name or UUID"),
      unrelated: optional(flag("neither need have been made from the other")),
    }),
    reply: VOLUME_REPORT,
  },
  "snapshot/diff": {
    arguments: record<DiffArguments>({
      pool: VOLUME_FIELDS.pool,
      from: text("the first volume, by name or UUID"),
      to: text("the second volume, by name or UUID"),
      offsetBytes: natural("where the page begins"),
    }),
    reply: record<DiffReply>({
      sizeBytes: natural("of the larger of the two"),
      differences: list(
        "ranges in which they may differ, in order",
        record<DifferenceReport>({
          offsetBytes: natural("where the range begins"),
          lengthBytes: natural("how long it is"),
          kind: choice("removed: it is zeros in the second", ["changed", "added", "removed"]),
        }),
      ),
      nextOffsetBytes: orNull(natural("where the next page begins; null: there is none")),
    }),
  },
};
