import {
  LUN_SETTING_ARGUMENTS,
  LUN_SETTINGS,
  type LunSettingArguments,
  type LunSettings,
} from "./lun-settings.ts";
import {
  anyText,
  choice,
  flag,
  list,
  natural,
  number,
  optional,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

const DRIVERS = ["thin", "raw", "memory", "null"] as const;

/** A disk as initiators see it. */
export interface LunReport extends LunSettings {
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
    ...LUN_SETTINGS,
  },
  "LunReport",
);

/** What one initiator did on one LUN since it is there, over all sessions. Counters only grow. */
export interface LunStatistics {
  readonly target: string;
  readonly lun: number;
  readonly initiator: string;
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writtenBytes: number;
  /** Commands of other kinds. */
  readonly others: number;
  /** Answers with another status than GOOD. */
  readonly errors: number;
  /** At work at this moment. */
  readonly running: number;
  /** Of all answers together. */
  readonly latencyMs: number;
}

interface StatisticsReply {
  /** When this was, in milliseconds of a clock that never goes back. */
  readonly atMs: number;
  readonly luns: readonly LunStatistics[];
}

const LUN_STATISTICS: Schema<LunStatistics> = record<LunStatistics>(
  {
    target: anyText("the target that has it"),
    lun: natural("its number"),
    initiator: anyText("whose commands they were"),
    reads: natural("commands that read, answered"),
    readBytes: natural("what they moved"),
    writes: natural("commands that write, answered"),
    writtenBytes: natural("what they moved"),
    others: natural("commands of other kinds, answered"),
    errors: natural("answers with another status than GOOD"),
    running: natural("commands at work"),
    latencyMs: number("of all answers together"),
  },
  "LunStatistics",
);

interface LunListArguments {
  readonly target?: string;
}

interface LunSetArguments extends LunSettingArguments {
  readonly target: string;
  readonly lun: number;
}

export interface LunProtocol {
  "lun/set": { readonly arguments: LunSetArguments; readonly reply: LunReport };
  "lun/list": { readonly arguments: LunListArguments; readonly reply: readonly LunReport[] };
  "lun/stat": { readonly arguments: LunListArguments; readonly reply: StatisticsReply };
}

const LUN_LIST_ARGUMENTS: Schema<LunListArguments> = record<LunListArguments>({
  target: optional(text("of this target only, by its iSCSI name")),
});

export const LUN_SCHEMAS: SchemasOf<LunProtocol> = {
  "lun/list": {
    arguments: LUN_LIST_ARGUMENTS,
    reply: list("disks as initiators see them", LUN_REPORT),
  },
  "lun/set": {
    arguments: record<LunSetArguments>({
      target: text("a target, by its iSCSI name"),
      lun: natural("the number of a LUN"),
      ...LUN_SETTING_ARGUMENTS,
    }),
    reply: LUN_REPORT,
  },
  "lun/stat": {
    arguments: LUN_LIST_ARGUMENTS,
    reply: record<StatisticsReply>({
      atMs: number("when this was, by a clock that never goes back"),
      luns: list("by target, LUN and initiator", LUN_STATISTICS),
    }),
  },
};
