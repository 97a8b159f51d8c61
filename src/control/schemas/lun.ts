import {
  anyText,
  choice,
  flag,
  list,
  natural,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

const DRIVERS = ["thin", "raw", "memory", "null"] as const;

/** A disk as initiators see it. */
export interface LunReport {
  readonly target: string;
  readonly lun: number;
  /** POOL/VOLUME, an absolute path, or a volume's name in the configuration. */
  readonly volume: string;
  /** Null: the volume is not known. */
  readonly driver: (typeof DRIVERS)[number] | null;
  /** Null: the volume is not open, and the LUN not there. */
  readonly sizeBytes: number | null;
  readonly uuid: string | null;
  readonly blockBytes: number;
  readonly readOnly: boolean;
  readonly online: boolean;
}

export const LUN_REPORT: Schema<LunReport> = record<LunReport>(
  {
    target: anyText("the target that has it"),
    lun: natural("its number"),
    volume: anyText("POOL/VOLUME, an absolute path, or a name of the configuration"),
    driver: orNull(choice("where its data are; null: not known", DRIVERS)),
    sizeBytes: orNull(natural("what initiators see; null: the volume could not be opened")),
    uuid: orNull(anyText("what initiators know it by")),
    blockBytes: natural("of a logical block"),
    readOnly: flag("initiators cannot write"),
    online: flag("its medium is there"),
  },
  "LunReport",
);

interface LunListArguments {
  readonly target?: string;
}

export interface LunProtocol {
  "lun/list": { readonly arguments: LunListArguments; readonly reply: readonly LunReport[] };
}

export const LUN_SCHEMAS: SchemasOf<LunProtocol> = {
  "lun/list": {
    arguments: record<LunListArguments>({
      target: optional(text("of this target only, by its iSCSI name")),
    }),
    reply: list("disks as initiators see them", LUN_REPORT),
  },
};
