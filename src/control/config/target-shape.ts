import { type AccessRules, OPEN_ACCESS } from "../../iscsi/auth/access-list.ts";
import {
  DEFAULT_OFFERS,
  type DigestOffer,
  OFFER_RANGES,
  type ParameterOffers,
} from "../../iscsi/parameters.ts";
import { PING_RANGES, type PingSettings } from "../../iscsi/ping-watch.ts";
import {
  type Redirect,
  TARGET_SESSIONS_MAX_DEFAULT,
  type TargetState,
} from "../../iscsi/target.ts";
import type { IdentityOptions } from "../../scsi/identity.ts";
import { LUN_MAX } from "../../scsi/limits.ts";
import type { BlockBytes } from "../../scsi/logical-unit.ts";
import { type UnitSettings, unitSettingsProblems } from "../../scsi/unit-settings.ts";
import { accessDocument, accessShape } from "./access-shape.ts";
import { authenticationDocument, authenticationShape } from "./authentication-shape.ts";
import type {
  AuthenticationConfig,
  LunConfig,
  TargetConfig,
  TgtLunConfig,
  TgtTargetConfig,
} from "./config.ts";
import type { ConfigDocument } from "./document.ts";
import { type Endpoint, formatEndpoint } from "./endpoint.ts";
import { LUNS_MAX, PORTALS_MAX } from "./limits.ts";
import {
  choiceOf,
  flag,
  integer,
  listOf,
  mapped,
  named,
  object,
  optional,
  required,
  type Shape,
  text,
  textThat,
} from "./shape.ts";
import { inquiryText, remoteEndpoint, size, targetName, volumeKey } from "./values.ts";

const blockSize: Shape<BlockBytes> = mapped(size(1, Number.MAX_SAFE_INTEGER), (bytes, fail) =>
  bytes === 512 || bytes === 4096 ? bytes : fail(`must be 512 or 4096, not ${bytes}`),
);

interface LunKeys {
  readonly lun: number;
  readonly volume: string;
  readonly blockSize: BlockBytes;
  readonly readOnly: boolean;
  readonly vendor: string | null;
  readonly product: string | null;
  readonly revision: string | null;
  readonly serial: string | null;
  readonly settings: LunConfig["settings"];
  readonly tgt: TgtLunConfig | null;
}

type SettingKeys = {
  readonly [Name in keyof LunConfig["settings"]]-?: NonNullable<UnitSettings[Name]> | null;
};

/** Fields of SCSI pages; what they take beyond their width is checked by {@link unitSettingsProblems}. */
const pageField = integer(0, 2 ** 32 - 1);

const unitSettings: Shape<LunConfig["settings"]> = mapped(
  object<SettingKeys>({
    online: optional(flag, null),
    removable: optional(flag, null),
    writeCache: optional(flag, null),
    softwareWriteProtect: optional(flag, null),
    descriptorSense: optional(flag, null),
    thinProvisioning: optional(flag, null),
    physicalBlockExponent: optional(pageField, null),
    lowestAlignedLba: optional(pageField, null),
    optimalGranularityBlocks: optional(pageField, null),
    optimalTransferBlocks: optional(pageField, null),
    rotationRate: optional(pageField, null),
  }),
  (keys, fail) => {
    const given = Object.entries(keys).filter(([, value]) => value !== null);
    const settings = Object.fromEntries(given) as LunConfig["settings"];
    const [problem] = unitSettingsProblems(settings);
    return problem === undefined ? settings : fail(problem);
  },
);

/** A designator or serial number of tgt's: as long as its field of INQUIRY data. */
const tgtIdentifier: Shape<string> = textThat((value) =>
  /^[\x20-\x7e]{0,36}$/.test(value) ? null : "must have at most 36 printable ASCII characters",
);

const tgtLun: Shape<TgtLunConfig> = object<TgtLunConfig>({
  scsiId: required(tgtIdentifier),
  scsiSn: required(tgtIdentifier),
  storeType: required(text),
  storePath: required(text),
  storeFlags: optional(text, ""),
});

const lun: Shape<LunConfig> = mapped(
  object<LunKeys>({
    lun: required(integer(0, LUN_MAX)),
    volume: required(volumeKey),
    blockSize: optional(blockSize, 512),
    readOnly: optional(flag, false),
    vendor: optional(inquiryText(8), null),
    product: optional(inquiryText(16), null),
    revision: optional(inquiryText(4), null),
    serial: optional(inquiryText(64), null),
    settings: optional(unitSettings, {}),
    tgt: optional(tgtLun, null),
  }),
  ({ lun: number, volume, blockSize: blockBytes, readOnly, settings, tgt, ...given }) => {
    const entries = Object.entries(given).filter(([, value]) => value !== null);
    const identity = Object.fromEntries(entries) as IdentityOptions;
    return { lun: number, volume, blockBytes, readOnly, identity, settings, tgt };
  },
);

/** What a LUN's shape reads back. */
export function lunDocument(config: LunConfig): ConfigDocument {
  const { lun: number, volume, blockBytes, readOnly, identity, settings, tgt } = config;
  const { vendor, product, revision, serial } = identity;
  const given = { vendor, product, revision, serial, settings: { ...settings } };
  return { lun: number, volume, blockSize: blockBytes, readOnly, ...given, tgt: tgt && { ...tgt } };
}

interface RedirectKeys {
  readonly address: Endpoint;
  readonly permanent: boolean;
}

const redirect: Shape<Redirect> = mapped(
  object<RedirectKeys>({
    address: required(remoteEndpoint),
    permanent: optional(flag, false),
  }),
  ({ address, permanent }) => ({ ...address, permanent }),
);

interface ParameterKeys {
  readonly headerDigest: DigestOffer;
  readonly dataDigest: DigestOffer;
  readonly maxRecvDataSegmentLength: number;
  readonly maxBurstLength: number;
  readonly firstBurstLength: number;
  readonly maxOutstandingR2T: number;
  readonly initialR2T: boolean;
  readonly immediateData: boolean;
  readonly defaultTime2Wait: number;
  readonly defaultTime2Retain: number;
}

const digest: Shape<DigestOffer> = choiceOf(["off", "allowed", "preferred", "required"]);

const parameters: Shape<ParameterOffers> = mapped(
  object<ParameterKeys>({
    headerDigest: optional(digest, DEFAULT_OFFERS.headerDigest),
    dataDigest: optional(digest, DEFAULT_OFFERS.dataDigest),
    maxRecvDataSegmentLength: optional(
      size(...OFFER_RANGES.maxRecvDataSegmentLengthBytes),
      DEFAULT_OFFERS.maxRecvDataSegmentLengthBytes,
    ),
    maxBurstLength: optional(
      size(...OFFER_RANGES.maxBurstLengthBytes),
      DEFAULT_OFFERS.maxBurstLengthBytes,
    ),
    firstBurstLength: optional(
      size(...OFFER_RANGES.firstBurstLengthBytes),
      DEFAULT_OFFERS.firstBurstLengthBytes,
    ),
    maxOutstandingR2T: optional(
      integer(...OFFER_RANGES.maxOutstandingR2t),
      DEFAULT_OFFERS.maxOutstandingR2t,
    ),
    initialR2T: optional(flag, DEFAULT_OFFERS.initialR2t),
    immediateData: optional(flag, DEFAULT_OFFERS.immediateData),
    defaultTime2Wait: optional(
      integer(...OFFER_RANGES.defaultTime2WaitSeconds),
      DEFAULT_OFFERS.defaultTime2WaitSeconds,
    ),
    defaultTime2Retain: optional(
      integer(...OFFER_RANGES.defaultTime2RetainSeconds),
      DEFAULT_OFFERS.defaultTime2RetainSeconds,
    ),
  }),
  (keys) => ({
    headerDigest: keys.headerDigest,
    dataDigest: keys.dataDigest,
    maxRecvDataSegmentLengthBytes: keys.maxRecvDataSegmentLength,
    maxBurstLengthBytes: keys.maxBurstLength,
    firstBurstLengthBytes: keys.firstBurstLength,
    maxOutstandingR2t: keys.maxOutstandingR2T,
    initialR2t: keys.initialR2T,
    immediateData: keys.immediateData,
    defaultTime2WaitSeconds: keys.defaultTime2Wait,
    defaultTime2RetainSeconds: keys.defaultTime2Retain,
  }),
);

function parametersDocument(offers: ParameterOffers): ConfigDocument {
  return {
    headerDigest: offers.headerDigest,
    dataDigest: offers.dataDigest,
    maxRecvDataSegmentLength: offers.maxRecvDataSegmentLengthBytes,
    maxBurstLength: offers.maxBurstLengthBytes,
    firstBurstLength: offers.firstBurstLengthBytes,
    maxOutstandingR2T: offers.maxOutstandingR2t,
    initialR2T: offers.initialR2t,
    immediateData: offers.immediateData,
    defaultTime2Wait: offers.defaultTime2WaitSeconds,
    defaultTime2Retain: offers.defaultTime2RetainSeconds,
  };
}

interface PingKeys {
  readonly interval: number | null;
  readonly count: number | null;
}

/** What is not there is not said. */
export const pingsShape: Shape<Partial<PingSettings>> = mapped(
  object<PingKeys>({
    interval: optional(integer(...PING_RANGES.intervalSeconds), null),
    count: optional(integer(...PING_RANGES.count), null),
  }),
  ({ interval, count }) => ({
    ...(interval === null ? {} : { intervalSeconds: interval }),
    ...(count === null ? {} : { count }),
  }),
);

/** What {@link pingsShape} reads back. */
function pingsDocument({ intervalSeconds, count }: Partial<PingSettings>): ConfigDocument {
  return { interval: intervalSeconds ?? null, count: count ?? null };
}

interface TargetKeys {
  readonly name: string;
  readonly alias: string | null;
  readonly luns: readonly LunConfig[];
  readonly auth: AuthenticationConfig | null;
  readonly allow: AccessRules;
  readonly portalGroups: readonly number[];
  readonly redirect: Redirect | null;
  readonly parameters: ParameterOffers;
  readonly pings: Partial<PingSettings>;
  readonly sessions: number;
  readonly state: TargetState;
  readonly tid: number | null;
  readonly tgt: TgtTargetConfig | null;
}

/** tgt has an int for it. */
const TID_MAX: number = 2 ** 31 - 1;

/** All settings of a target that tgt knows, and room for more. */
const TGT_SETTINGS_MAX = 64;

const tgtTarget: Shape<TgtTargetConfig> = object<TgtTargetConfig>({
  settings: optional(
    mapped(named(text, text), (settings, fail) =>
      settings.size <= TGT_SETTINGS_MAX ? settings : fail("has too many settings"),
    ),
    new Map<string, never>(),
  ),
});

/** Sessions of one target: each holds its buffers. */
const SESSIONS_MAX = 4096;

export const PORTAL_GROUP_MAX = 0xffff;

export const targetShape: Shape<TargetConfig> = mapped(
  object<TargetKeys>({
    name: required(targetName),
    alias: optional(text, null),
    luns: required(listOf(lun, LUNS_MAX)),
    auth: optional(authenticationShape, null),
    allow: optional(accessShape, OPEN_ACCESS),
    portalGroups: optional(listOf(integer(1, PORTAL_GROUP_MAX), PORTALS_MAX), []),
    redirect: optional(redirect, null),
    parameters: optional(parameters, DEFAULT_OFFERS),
    pings: optional(pingsShape, {}),
    sessions: optional(integer(1, SESSIONS_MAX), TARGET_SESSIONS_MAX_DEFAULT),
    state: optional(choiceOf(["ready", "offline"]), "ready"),
    tid: optional(integer(1, TID_MAX), null),
    tgt: optional(tgtTarget, null),
  }),
  ({ auth, allow: access, parameters: offers, sessions, ...rest }) => ({
    ...rest,
    authentication: auth,
    access,
    offers,
    sessionsMax: sessions,
  }),
);

/** What {@link targetShape} reads back, secrets and all. */
export function targetDocument(config: TargetConfig): ConfigDocument {
  const { luns, authentication, access, redirect: elsewhere, offers, sessionsMax, tgt } = config;
  const { name, alias, portalGroups, state, tid } = config;
  return {
    name,
    alias,
    tid,
    state,
    portalGroups,
    luns: luns.map(lunDocument),
    auth: authentication === null ? null : authenticationDocument(authentication),
    allow: accessDocument(access),
    redirect:
      elsewhere === null
        ? null
        : { address: formatEndpoint(elsewhere), permanent: elsewhere.permanent },
    parameters: parametersDocument(offers),
    pings: pingsDocument(config.pings),
    sessions: sessionsMax,
    tgt: tgt === null ? null : { settings: Object.fromEntries(tgt.settings) },
  };
}
