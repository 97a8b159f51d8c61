import {
  anyText,
  choice,
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

interface FailedPool {
  readonly pool: string;
  readonly failure: string;
}

export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly stateDir: string;
  /** Where it listens, ADDRESS:PORT. */
  readonly portals: readonly string[];
  readonly targetCount: number;
  readonly lunCount: number;
  readonly sessionCount: number;
  readonly poolCount: number;
  readonly volumeCount: number;
  /** LUNs whose volumes could not be opened, as TARGET LUN. */
  readonly missingLuns: readonly string[];
  readonly failedPools: readonly FailedPool[];
}

const STATUS_REPORT: Schema<StatusReport> = record<StatusReport>(
  {
    version: anyText("of the program"),
    pid: natural("its process"),
    startedAt: anyText("ISO 8601"),
    uptimeSeconds: natural("since then"),
    stateDir: anyText("the folder where its state is kept"),
    portals: list("where it listens", anyText("ADDRESS:PORT")),
    targetCount: natural("targets"),
    lunCount: natural("LUNs of all targets"),
    sessionCount: natural("initiators that are logged in"),
    poolCount: natural("pools that are open"),
    volumeCount: natural("volumes and snapshots in them"),
    missingLuns: list("LUNs whose volumes could not be opened", anyText("TARGET LUN n")),
    failedPools: list(
      "pools that have stopped",
      record<FailedPool>({ pool: anyText("its name"), failure: anyText("why") }),
    ),
  },
  "StatusReport",
);

const ACTIONS = ["create", "change", "delete"] as const;
const KINDS = ["portal", "pool", "volume", "target", "account", "discovery"] as const;

interface FieldChange {
  readonly field: string;
  /** As JSON; null: nothing. Secrets are not told. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What becomes different of one thing. */
export interface ChangeReport {
  readonly action: (typeof ACTIONS)[number];
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  /** Of a thing that stays. */
  readonly fields: readonly FieldChange[];
}

const CHANGE_REPORT: Schema<ChangeReport> = record<ChangeReport>(
  {
    action: choice("what happens to it", ACTIONS),
    kind: choice("what it is", KINDS),
    name: anyText("its name"),
    fields: list(
      "what becomes different of a thing that stays",
      record<FieldChange>({
        field: anyText("its place in the configuration"),
        before: orNull(anyText("as JSON; null: nothing")),
        after: orNull(anyText("as JSON; null: nothing")),
      }),
    ),
  },
  "ChangeReport",
);

/** The longest document that is applied, in characters: as long as a configuration file. */
const DOCUMENT_LENGTH_MAX: number = 4 * 1024 * 1024;

/** The document may be escaped in JSON. */
export const APPLY_BODY_BYTES_MAX: number = 2 * DOCUMENT_LENGTH_MAX;

interface NamedThing {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
}

interface ApplyArguments {
  /** YAML or JSON, as the configuration file has it. */
  readonly document: string;
  /** Where relative paths in it begin; the root where it is not given. */
  readonly folder?: string;
  /** Nothing is changed: only the differences are told. */
  readonly dryRun?: boolean;
  /** What commands have made and the document does not name goes. No data go with it. */
  readonly prune?: boolean;
  /** Where anything else would go, nothing is changed. Not given: whatever is there. */
  readonly mayGo?: readonly NamedThing[];
}

export interface SystemProtocol {
  "system/status": { readonly arguments: Nothing; readonly reply: StatusReport };
  "system/apply": {
    readonly arguments: ApplyArguments;
    readonly reply: readonly ChangeReport[];
  };
}

export const SYSTEM_SCHEMAS: SchemasOf<SystemProtocol> = {
  "system/status": { arguments: NOTHING, reply: STATUS_REPORT },
  "system/apply": {
    arguments: record<ApplyArguments>({
      document: text("YAML or JSON as the configuration file has it", DOCUMENT_LENGTH_MAX),
      folder: optional(text("where relative paths in it begin; / where it is not given")),
      dryRun: optional(flag("nothing is changed: only the differences are told")),
      prune: optional(flag("what commands have made and the document does not name goes")),
      mayGo: optional(
        list(
          "what may go, as a dry run has told it: where anything else would, as it has come since, nothing is changed",
          record<NamedThing>({ kind: choice("what it is", KINDS), name: anyText("its name") }),
        ),
      ),
    }),
    reply: list("what is different", CHANGE_REPORT),
  },
};
