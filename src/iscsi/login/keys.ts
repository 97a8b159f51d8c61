import {
  SEGMENT_LENGTH_BYTES_MAX,
  SEGMENT_LENGTH_BYTES_MIN,
  type SessionParameters,
} from "../parameters.ts";

/** How a key's value comes about. */
type KeyKind =
  /** Stated by one end; the other does not answer (RFC 7143 6.2). */
  | "declare-text"
  | "declare-number"
  /** The answer is the smaller, or the larger, of what the two ends want. */
  | "minimum"
  | "maximum"
  /** The answer is the logical product, or sum. */
  | "and"
  | "or"
  /** The answer is one item of the proposed list. */
  | "list"
  /** Obsolete (RFC 7143 13.25): never NotUnderstood, and nothing comes of it. */
  | "obsolete-boolean"
  | "obsolete-range";

/** Where a key may be used. */
export type KeyUse =
  /** Leading login only: the session is not there yet. */
  | "leading"
  /** Login of any connection. */
  | "login"
  /** Login, and full-feature phase. */
  | "all"
  /** Full-feature phase only. */
  | "full-feature";

/** The numeric and boolean parameters that a key of that type sets. */
export type ParameterName<Type> = {
  [Name in keyof SessionParameters]: SessionParameters[Name] extends Type ? Name : never;
}[keyof SessionParameters];

interface KeyRowBase {
  readonly key: string;
  readonly kind: KeyKind;
  /** The clause that defines the key. */
  readonly clause: string;
  readonly use: KeyUse;
  /** Who sends it first, or declares it. */
  readonly sender: "initiator" | "target" | "both";
  /** Whether SecurityNegotiation admits it: security keys, and declarations, which negotiate nothing (RFC 7143 12). */
  readonly security: boolean;
  /** Means nothing in a discovery session: answered with `Irrelevant`. */
  readonly irrelevantInDiscovery: boolean;
}

export interface TextKeyRow extends KeyRowBase {
  readonly kind: "declare-text" | "obsolete-boolean" | "obsolete-range";
}

export interface NumberKeyRow extends KeyRowBase {
  readonly kind: "declare-number" | "minimum" | "maximum";
  readonly minimum: number;
  readonly maximum: number;
  /** Null where the value is not a parameter of the session. */
  readonly parameter: ParameterName<number> | null;
}

export interface BooleanKeyRow extends KeyRowBase {
  readonly kind: "and" | "or";
  readonly parameter: ParameterName<boolean>;
}

export interface ListKeyRow extends KeyRowBase {
  readonly kind: "list";
}

export type KeyRow = TextKeyRow | NumberKeyRow | BooleanKeyRow | ListKeyRow;

const declared = { kind: "declare-text", irrelevantInDiscovery: false } as const;
const leadingNumber = { use: "leading", sender: "both", security: false } as const;
const leadingBoolean = { ...leadingNumber, irrelevantInDiscovery: true } as const;
const length = { minimum: SEGMENT_LENGTH_BYTES_MIN, maximum: SEGMENT_LENGTH_BYTES_MAX } as const;
const obsolete = { ...leadingNumber, use: "login", irrelevantInDiscovery: false } as const;

/** All keys of RFC 7143 chapter 13, in its order, and AuthMethod (12.1). CHAP's own are the ChapTarget's. */
export const KEY_ROWS: readonly KeyRow[] = [
  {
    key: "AuthMethod",
    clause: "12.1",
    kind: "list",
    use: "login",
    sender: "both",
    security: true,
    irrelevantInDiscovery: false,
  },
  {
    key: "HeaderDigest",
    clause: "13.1",
    kind: "list",
    use: "login",
    sender: "both",
    security: false,
    irrelevantInDiscovery: false,
  },
  {
    key: "DataDigest",
    clause: "13.1",
    kind: "list",
    use: "login",
    sender: "both",
    security: false,
    irrelevantInDiscovery: false,
  },
  {
    key: "MaxConnections",
    clause: "13.2",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: true,
    minimum: 1,
    maximum: 65_535,
    parameter: "maxConnections",
  },
  {
    key: "SendTargets",
    clause: "13.3",
    ...declared,
    use: "full-feature",
    sender: "initiator",
    security: false,
  },
  { key: "TargetName", clause: "13.4", ...declared, use: "login", sender: "both", security: true },
  {
    key: "InitiatorName",
    clause: "13.5",
    ...declared,
    use: "login",
    sender: "initiator",
    security: true,
  },
  { key: "TargetAlias", clause: "13.6", ...declared, use: "all", sender: "target", security: true },
  {
    key: "InitiatorAlias",
    clause: "13.7",
    ...declared,
    use: "all",
    sender: "initiator",
    security: true,
  },
  {
    key: "TargetAddress",
    clause: "13.8",
    ...declared,
    use: "all",
    sender: "target",
    security: true,
  },
  {
    key: "TargetPortalGroupTag",
    clause: "13.9",
    ...declared,
    use: "login",
    sender: "target",
    security: true,
  },
  { key: "InitialR2T", clause: "13.10", kind: "or", ...leadingBoolean, parameter: "initialR2t" },
  {
    key: "ImmediateData",
    clause: "13.11",
    kind: "and",
    ...leadingBoolean,
    parameter: "immediateData",
  },
  {
    key: "MaxRecvDataSegmentLength",
    clause: "13.12",
    kind: "declare-number",
    use: "all",
    sender: "both",
    security: true,
    irrelevantInDiscovery: false,
    ...length,
    parameter: "initiatorMaxRecvDataSegmentLengthBytes",
  },
  {
    key: "MaxBurstLength",
    clause: "13.13",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: true,
    ...length,
    parameter: "maxBurstLengthBytes",
  },
  {
    key: "FirstBurstLength",
    clause: "13.14",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: true,
    ...length,
    parameter: "firstBurstLengthBytes",
  },
  {
    key: "DefaultTime2Wait",
    clause: "13.15",
    kind: "maximum",
    ...leadingNumber,
    irrelevantInDiscovery: false,
    minimum: 0,
    maximum: 3600,
    parameter: "defaultTime2WaitSeconds",
  },
  {
    key: "DefaultTime2Retain",
    clause: "13.16",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: false,
    minimum: 0,
    maximum: 3600,
    parameter: "defaultTime2RetainSeconds",
  },
  {
    key: "MaxOutstandingR2T",
    clause: "13.17",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: true,
    minimum: 1,
    maximum: 65_535,
    parameter: "maxOutstandingR2t",
  },
  {
    key: "DataPDUInOrder",
    clause: "13.18",
    kind: "or",
    ...leadingBoolean,
    parameter: "dataPduInOrder",
  },
  {
    key: "DataSequenceInOrder",
    clause: "13.19",
    kind: "or",
    ...leadingBoolean,
    parameter: "dataSequenceInOrder",
  },
  {
    key: "ErrorRecoveryLevel",
    clause: "13.20",
    kind: "minimum",
    ...leadingNumber,
    irrelevantInDiscovery: false,
    minimum: 0,
    maximum: 2,
    parameter: "errorRecoveryLevel",
  },
  {
    key: "SessionType",
    clause: "13.21",
    ...declared,
    use: "login",
    sender: "initiator",
    security: true,
  },
  { key: "TaskReporting", clause: "13.23", kind: "list", ...leadingBoolean },
  {
    key: "iSCSIProtocolLevel",
    clause: "13.24",
    kind: "minimum",
    ...leadingBoolean,
    minimum: 0,
    maximum: 31,
    parameter: null,
  },
  { key: "IFMarker", clause: "13.25", kind: "obsolete-boolean", ...obsolete },
  { key: "OFMarker", clause: "13.25", kind: "obsolete-boolean", ...obsolete },
  { key: "IFMarkInt", clause: "13.25", kind: "obsolete-range", ...obsolete },
  { key: "OFMarkInt", clause: "13.25", kind: "obsolete-range", ...obsolete },
  {
    key: "X#NodeArchitecture",
    clause: "13.26",
    ...declared,
    use: "login",
    sender: "both",
    security: true,
  },
];

/** The rows by key name. */
export const KEY_TABLE: ReadonlyMap<string, KeyRow> = new Map(
  KEY_ROWS.map((row) => [row.key, row]),
);
