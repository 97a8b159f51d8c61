import {
  anyText,
  flag,
  list,
  natural,
  orNull,
  record,
  type Schema,
  type SchemasOf,
  text,
} from "./schema.ts";

/**
 * The targets of a targets.conf as a document. What is set of them is text as tgtadm takes it, one character a byte; what may be
 * said is what tgtadm may be told.
 */
export interface TgtDocument {
  readonly targets: readonly TgtTargetDocument[];
  /** All that are bound to something here, with their passwords; null: it is not known, and stays as it is. */
  readonly accounts: readonly TgtAccountDocument[];
  /** Null: as it is. */
  readonly discovery: TgtDiscoveryDocument | null;
  /** `iSNS`, `iSNSServerIP`, ... as `tgtadm --mode system --op update` takes them: of a dump; they cannot be applied. */
  readonly system: readonly TgtSettingDocument[];
}

export interface TgtTargetDocument {
  readonly name: string;
  /** Null: the number that the target of this name has, or one more than the highest. */
  readonly tid: number | null;
  /** Users that initiators log in with. */
  readonly incoming: readonly string[];
  readonly outgoing: string | null;
  /** `ALL` among them lets everybody in. */
  readonly addresses: readonly string[];
  readonly initiatorNames: readonly string[];
  /** In the order in which they are set, `state` included. */
  readonly settings: readonly TgtSettingDocument[];
  /** Without the controller. */
  readonly luns: readonly TgtLunDocument[];
}

export interface TgtLunDocument {
  readonly lun: number;
  /** Null: a unit without a medium. */
  readonly path: string | null;
  /** A word of tgtadm's, such as disk; this and what follows null: as it is without saying. */
  readonly deviceType: string | null;
  readonly bsType: string | null;
  readonly bsOptions: string | null;
  readonly bsOpenFlags: string | null;
  readonly blockSize: string | null;
  /** What `--params` is given, one after the other. */
  readonly params: readonly string[];
}

export interface TgtAccountDocument {
  readonly user: string;
  readonly password: string | null;
}

/** Users for discovery. */
export interface TgtDiscoveryDocument {
  readonly incoming: readonly string[];
  readonly outgoing: string | null;
}

export interface TgtSettingDocument {
  readonly name: string;
  readonly value: string;
}

export interface TgtApplyArguments {
  readonly wanted: TgtDocument;
  /** Names of targets to remove; those that are not there are passed over. */
  readonly remove: readonly string[];
  /** Of those to remove, only what tgt's commands have made. */
  readonly spareOthers: boolean;
  /** Targets that are there stay as they are; those that are not are made. */
  readonly onlyNew: boolean;
  /** Also where initiators that are logged in lose something by it. */
  readonly force: boolean;
  /** Nothing is changed: only what would be is told. */
  readonly dryRun: boolean;
}

export interface TgtApplyReply {
  /** A line for people for each thing that is different. */
  readonly differences: readonly string[];
  /** Targets that stay as they were, as initiators would lose something by the change. */
  readonly inUse: readonly string[];
  /** Targets that were to be removed, and stay, as they are in the daemon's configuration. */
  readonly configured: readonly string[];
  /** Targets that were to be removed, and stay, as tgt's commands have not made them. */
  readonly spared: readonly string[];
}

export interface TgtDumpArguments {
  readonly withSecrets: boolean;
}

/** Operations for tgt-admin, which change or tell all targets at once. */
export interface TgtApplyProtocol {
  "tgt/apply": { readonly arguments: TgtApplyArguments; readonly reply: TgtApplyReply };
  "tgt/dump": { readonly arguments: TgtDumpArguments; readonly reply: TgtDocument };
}

/** A targets.conf of thousands of targets, as a document. */
export const TGT_BODY_BYTES_MAX: number = 16 * 1024 * 1024;

/** More than the daemon takes of each: for a bound of what is looked at. */
const ITEMS_MAX = 16_384;

/** What tgtd reads of one request's text. */
const TEXT_LENGTH_MAX = 8192;

function word(description: string): Schema<string> {
  return text(description, TEXT_LENGTH_MAX);
}

function many<T>(description: string, items: Schema<T>): Schema<readonly T[]> {
  return list(description, items, { maxItems: ITEMS_MAX });
}

const setting: Schema<TgtSettingDocument> = record<TgtSettingDocument>(
  { name: word("A name of tgt's"), value: { ...anyText("As tgtadm takes it"), maxLength: 8192 } },
  "TgtSetting",
);

const lun: Schema<TgtLunDocument> = record<TgtLunDocument>(
  {
    lun: natural("Its number", { minimum: 1, maximum: 0x3fff }),
    path: orNull(word("A file, a device, or POOL/VOLUME for the type thin; null for none")),
    deviceType: orNull(word("disk, cd, ...")),
    bsType: orNull(word("rdwr, aio, null, thin")),
    bsOptions: orNull(word("Options of the backing store")),
    bsOpenFlags: orNull(word("sync, direct, sync:direct")),
    blockSize: orNull(word("In bytes")),
    params: many("KEY=VALUE, as for --params", word("One or more of them")),
  },
  "TgtLun",
);

const target: Schema<TgtTargetDocument> = record<TgtTargetDocument>(
  {
    name: word("Its iSCSI name"),
    tid: orNull(natural("Its number; null for the one it has, or the next", { minimum: 1 })),
    incoming: many("Users that initiators log in with", word("A user")),
    outgoing: orNull(word("The user that the target shows itself with")),
    addresses: many("Who is let in: addresses, networks, ALL", word("An address")),
    initiatorNames: many("Who is let in, by name", word("A name")),
    settings: many("What is set of it, in order", setting),
    luns: many("Its logical units, without the controller", lun),
  },
  "TgtTarget",
);

const account: Schema<TgtAccountDocument> = record<TgtAccountDocument>(
  { user: word("Its name"), password: orNull(word("Null: not known, and it stays as it is")) },
  "TgtAccount",
);

const discovery: Schema<TgtDiscoveryDocument> = record<TgtDiscoveryDocument>(
  {
    incoming: many("Users that initiators discover with", word("A user")),
    outgoing: orNull(word("The user that the daemon shows itself with")),
  },
  "TgtDiscovery",
);

const tgtDocument: Schema<TgtDocument> = record<TgtDocument>(
  {
    targets: many("All that are wanted", target),
    accounts: many("Users that are bound to something here", account),
    discovery: orNull(discovery),
    system: many("Settings of the daemon", setting),
  },
  "TgtDocument",
);

export const TGT_APPLY_SCHEMAS: SchemasOf<TgtApplyProtocol> = {
  "tgt/apply": {
    arguments: record<TgtApplyArguments>({
      wanted: tgtDocument,
      remove: many("Targets to remove", word("A name")),
      spareOthers: flag("Remove only what tgt's commands have made"),
      onlyNew: flag("Leave targets that are there as they are"),
      force: flag("Also where initiators lose something by it"),
      dryRun: flag("Change nothing, and tell what would be"),
    }),
    reply: record<TgtApplyReply>({
      differences: list("A line for each thing that is different", anyText("For people")),
      inUse: list("Targets that were left as they are", anyText("A name")),
      configured: list("Targets of the configuration, which stay", anyText("A name")),
      spared: list("Targets that tgt's commands have not made, which stay", anyText("A name")),
    }),
  },
  "tgt/dump": {
    arguments: record<TgtDumpArguments>({ withSecrets: flag("With passwords") }),
    reply: tgtDocument,
  },
};
