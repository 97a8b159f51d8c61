import { LIST_ENTRIES_MAX } from "./limits.ts";
import { LUN_REPORT, type LunReport } from "./lun.ts";
import { LUN_SETTING_ARGUMENTS, type LunSettingArguments } from "./lun-settings.ts";
import {
  anyText,
  choice,
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

/** Who made a thing: a command, and commands can change it; or the configuration, where it is changed. */
export const ORIGINS = ["command", "configuration"] as const;
export type Origin = (typeof ORIGINS)[number];

const STATES = ["ready", "offline"] as const;
const DIGESTS = ["off", "allowed", "preferred", "required"] as const;
const MATCHES = ["all", "any"] as const;

export const ORIGIN: Schema<Origin> = choice(
  "who made it: only what commands have made can be changed by commands",
  ORIGINS,
);

/** Who is let in. */
interface AccessReport {
  /** Addresses and prefixes; none: from everywhere. */
  readonly addresses: readonly string[];
  /** Names of initiators, `*` for any run of characters; none: whoever. */
  readonly initiators: readonly string[];
  /** Whether one rule has to fit in each list that has some, or one in either. */
  readonly match: (typeof MATCHES)[number];
}

/** CHAP. Secrets are never told. */
interface AuthenticationReport {
  readonly users: readonly string[];
  /** As whom the target proves itself; null: not at all. */
  readonly mutual: string | null;
  readonly mutualRequired: boolean;
}

/** What the target offers in negotiation, by the configuration's names. */
interface ParameterReport {
  readonly headerDigest: (typeof DIGESTS)[number];
  readonly dataDigest: (typeof DIGESTS)[number];
  readonly maxRecvDataSegmentLength: number;
  readonly maxBurstLength: number;
  readonly firstBurstLength: number;
  readonly maxOutstandingR2T: number;
  readonly initialR2T: boolean;
  readonly immediateData: boolean;
  readonly defaultTime2Wait: number;
  readonly defaultTime2Retain: number;
}

/** How initiators are asked whether they live; null: as the daemon does wherever nothing is said. */
interface PingReport {
  readonly interval: number | null;
  readonly count: number | null;
}

const PING_FIELDS: FieldsOf<PingReport> = {
  interval: orNull(natural("seconds of silence before each question; 0: never; null: as usual")),
  count: orNull(natural("questions before the connection is dropped; null: as usual")),
};

export interface TargetReport {
  readonly name: string;
  readonly alias: string | null;
  /** By which tgt's commands know it. */
  readonly tid: number;
  readonly origin: Origin;
  readonly state: (typeof STATES)[number];
  readonly luns: readonly LunReport[];
  readonly access: AccessReport;
  /** Null: nobody has to authenticate. */
  readonly authentication: AuthenticationReport | null;
  /** Empty: reached through all portals. */
  readonly portalGroups: readonly number[];
  /** Where initiators are sent instead, and whether for good; null: they are served here. */
  readonly redirect: RedirectArguments | null;
  readonly sessionsMax: number;
  readonly sessionCount: number;
  readonly parameters: ParameterReport;
  readonly pings: PingReport;
}

interface RedirectArguments {
  readonly address: string;
  readonly permanent?: boolean;
}

const REDIRECT: Schema<RedirectArguments> = record<RedirectArguments>({
  address: text("ADDRESS:PORT"),
  permanent: optional(flag("initiators may remember it")),
});

const PARAMETER_FIELDS: FieldsOf<ParameterReport> = {
  headerDigest: choice("CRC32C over headers", DIGESTS),
  dataDigest: choice("CRC32C over data", DIGESTS),
  maxRecvDataSegmentLength: natural("bytes of one PDU's data that the target takes"),
  maxBurstLength: natural("bytes of one sequence of data"),
  firstBurstLength: natural("bytes that come before they are asked for"),
  maxOutstandingR2T: natural("requests for data of one command at a time"),
  initialR2T: flag("nothing comes before it is asked for"),
  immediateData: flag("data may come with the command"),
  defaultTime2Wait: natural("seconds before an initiator comes back"),
  defaultTime2Retain: natural("seconds that a lost session is kept"),
};

const TARGET_REPORT: Schema<TargetReport> = record<TargetReport>(
  {
    name: anyText("its iSCSI name"),
    alias: orNull(anyText("what people call it")),
    tid: natural("the number by which tgt's commands know it"),
    origin: ORIGIN,
    state: choice("offline: logins are refused for a while", STATES),
    luns: list("its disks", LUN_REPORT),
    access: record<AccessReport>({
      addresses: list("from where; empty: from everywhere", anyText("an address or prefix")),
      initiators: list("who; empty: whoever", anyText("a name, with * for any characters")),
      match: choice("whether a rule of each list has to fit, or one of either", MATCHES),
    }),
    authentication: orNull(
      record<AuthenticationReport>({
        users: list("who can log in", anyText("a user's name")),
        mutual: orNull(anyText("as whom the target proves itself")),
        mutualRequired: flag("initiators have to ask for the proof"),
      }),
    ),
    portalGroups: list("through which it is reached; empty: all", natural("a portal group")),
    redirect: orNull(REDIRECT),
    sessionsMax: natural("sessions at a time"),
    sessionCount: natural("sessions that are there"),
    parameters: record<ParameterReport>(PARAMETER_FIELDS),
    pings: record<PingReport>(PING_FIELDS),
  },
  "TargetReport",
);

export interface TargetArguments {
  readonly target: string;
}

type ParameterArguments = Partial<ParameterReport>;

/** What of a target can be set; what is not given stays as it is. */
export interface TargetSettings {
  readonly alias?: string | null;
  readonly state?: (typeof STATES)[number];
  readonly portalGroups?: readonly number[];
  readonly redirect?: RedirectArguments | null;
  readonly sessionsMax?: number;
  readonly parameters?: ParameterArguments;
  readonly pings?: Partial<PingReport>;
}

interface CreateArguments extends TargetSettings {
  /** One is made up where none is given. */
  readonly name?: string;
}

interface SetArguments extends TargetArguments, TargetSettings {}

interface DeleteArguments extends TargetArguments {
  /** Initiators that are logged in are asked to log out, and their sessions ended. */
  readonly force?: boolean;
}

export interface MapArguments extends TargetArguments, LunSettingArguments {
  /** POOL/VOLUME, the absolute path of a file or device, or a volume's name in the configuration. */
  readonly volume: string;
  /** The lowest that is free where none is given. */
  readonly lun?: number;
  /** Also where initiators know another disk under the number: what they know of that one they may write to this one. */
  readonly force?: boolean;
}

interface UnmapArguments extends TargetArguments {
  readonly lun: number;
}

interface AllowArguments extends TargetArguments {
  readonly addresses?: readonly string[];
  readonly initiators?: readonly string[];
  readonly match?: (typeof MATCHES)[number];
}

interface DenyArguments extends TargetArguments {
  readonly addresses?: readonly string[];
  readonly initiators?: readonly string[];
  /** The last rule of a list may go, too: then everybody is let in as far as this list goes. */
  readonly open?: boolean;
}

/** A user; without a password, the one of the account of this name. */
interface CredentialArguments {
  readonly user: string;
  readonly password?: string;
}

interface AuthArguments extends TargetArguments {
  /** To be let in besides, or with another password. */
  readonly users?: readonly CredentialArguments[];
  readonly remove?: readonly string[];
  /** As whom the target proves itself; null: no more. */
  readonly mutual?: CredentialArguments | null;
  readonly mutualRequired?: boolean;
  /** Nobody has to authenticate any more. */
  readonly none?: boolean;
}

export interface TargetProtocol {
  "target/list": { readonly arguments: Nothing; readonly reply: readonly TargetReport[] };
  "target/show": { readonly arguments: TargetArguments; readonly reply: TargetReport };
  "target/create": { readonly arguments: CreateArguments; readonly reply: TargetReport };
  "target/set": { readonly arguments: SetArguments; readonly reply: TargetReport };
  "target/delete": { readonly arguments: DeleteArguments; readonly reply: Nothing };
  "target/map": { readonly arguments: MapArguments; readonly reply: LunReport };
  "target/unmap": { readonly arguments: UnmapArguments; readonly reply: Nothing };
  "target/allow": { readonly arguments: AllowArguments; readonly reply: TargetReport };
  "target/deny": { readonly arguments: DenyArguments; readonly reply: TargetReport };
  "target/auth": { readonly arguments: AuthArguments; readonly reply: TargetReport };
}

const TARGET: FieldsOf<TargetArguments> = { target: text("a target, by its iSCSI name") };

const SHORT = { maxItems: LIST_ENTRIES_MAX };

const PARAMETERS: Schema<ParameterArguments> = record<ParameterArguments>({
  headerDigest: optional(PARAMETER_FIELDS.headerDigest as Schema<(typeof DIGESTS)[number]>),
  dataDigest: optional(PARAMETER_FIELDS.dataDigest as Schema<(typeof DIGESTS)[number]>),
  maxRecvDataSegmentLength: optional(natural("bytes of one PDU's data that the target takes")),
  maxBurstLength: optional(natural("bytes of one sequence of data")),
  firstBurstLength: optional(natural("bytes that come before they are asked for")),
  maxOutstandingR2T: optional(natural("requests for data of one command at a time")),
  initialR2T: optional(flag("nothing comes before it is asked for")),
  immediateData: optional(flag("data may come with the command")),
  defaultTime2Wait: optional(natural("seconds before an initiator comes back")),
  defaultTime2Retain: optional(natural("seconds that a lost session is kept")),
});

const SETTINGS: FieldsOf<TargetSettings> = {
  alias: optional(orNull(text("what people call it"))),
  state: optional(choice("offline: logins are refused for a while", STATES)),
  portalGroups: optional(
    list("through which it is reached; empty: all", natural("a portal group"), SHORT),
  ),
  redirect: optional(orNull(REDIRECT)),
  sessionsMax: optional(natural("sessions at a time")),
  parameters: optional(PARAMETERS),
  pings: optional(
    record<Partial<PingReport>>({
      interval: optional(PING_FIELDS.interval as Schema<number | null>),
      count: optional(PING_FIELDS.count as Schema<number | null>),
    }),
  ),
};

const ADDRESSES = optional(
  list("from where", text("an address, a prefix such as 192.0.2.0/24, or ALL"), SHORT),
);
const INITIATORS = optional(list("who", text("a name, with * for any characters"), SHORT));

const CREDENTIALS: Schema<CredentialArguments> = record<CredentialArguments>({
  user: text("the name of a CHAP user"),
  password: optional(text("its secret; that of the account of this name where it is not given")),
});

export const TARGET_SCHEMAS: SchemasOf<TargetProtocol> = {
  "target/list": { arguments: NOTHING, reply: list("all targets", TARGET_REPORT) },
  "target/show": { arguments: record<TargetArguments>(TARGET), reply: TARGET_REPORT },
  "target/create": {
    arguments: record<CreateArguments>({
      name: optional(text("its iSCSI name; one is made up where it is not given")),
      ...SETTINGS,
    }),
    reply: TARGET_REPORT,
  },
  "target/set": {
    arguments: record<SetArguments>({ ...TARGET, ...SETTINGS }),
    reply: TARGET_REPORT,
  },
  "target/delete": {
    arguments: record<DeleteArguments>({
      ...TARGET,
      force: optional(flag("initiators that are logged in are logged out")),
    }),
    reply: NOTHING,
  },
  "target/map": {
    arguments: record<MapArguments>({
      ...TARGET,
      volume: text("POOL/VOLUME, an absolute path, or a volume's name in the configuration"),
      lun: optional(natural("its number; the lowest that is free where it is not given")),
      force: optional(flag("also where initiators know another disk under the number")),
      ...LUN_SETTING_ARGUMENTS,
    }),
    reply: LUN_REPORT,
  },
  "target/unmap": {
    arguments: record<UnmapArguments>({ ...TARGET, lun: natural("the number of a LUN") }),
    reply: NOTHING,
  },
  "target/allow": {
    arguments: record<AllowArguments>({
      ...TARGET,
      addresses: ADDRESSES,
      initiators: INITIATORS,
      match: optional(choice("whether a rule of each list has to fit, or one of either", MATCHES)),
    }),
    reply: TARGET_REPORT,
  },
  "target/deny": {
    arguments: record<DenyArguments>({
      ...TARGET,
      addresses: ADDRESSES,
      initiators: INITIATORS,
      open: optional(flag("the last rule may go, upon which everybody is let in")),
    }),
    reply: TARGET_REPORT,
  },
  "target/auth": {
    arguments: record<AuthArguments>({
      ...TARGET,
      users: optional(list("who can log in besides", CREDENTIALS, SHORT)),
      remove: optional(list("who cannot any more", text("a user's name"), SHORT)),
      mutual: optional(orNull(CREDENTIALS)),
      mutualRequired: optional(flag("initiators have to ask for the proof")),
      none: optional(flag("nobody has to authenticate any more")),
    }),
    reply: TARGET_REPORT,
  },
};
