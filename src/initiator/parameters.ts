import { InitiatorError } from "./initiator-error.ts";
import { DEFAULT_DATA_SEGMENT_BYTES, RECEIVE_DATA_SEGMENT_BYTES } from "./limits.ts";
import type { TextPair } from "./text-keys.ts";

/** A digest as it is offered: wanted or nothing, one of both, or none (RFC 7143 13.1). */
export type DigestOffer = "required" | "preferred" | "none";

/** What the initiator offers in the operational stage of a normal session; RFC 7143 chapter 13. */
export interface Offers {
  readonly headerDigest: DigestOffer;
  readonly dataDigest: DigestOffer;
  readonly maxRecvDataSegmentLength: number;
  readonly initialR2t: boolean;
  readonly immediateData: boolean;
  readonly maxBurstLength: number;
  readonly firstBurstLength: number;
  readonly maxOutstandingR2t: number;
}

export const DEFAULT_OFFERS: Offers = {
  headerDigest: "none",
  dataDigest: "none",
  maxRecvDataSegmentLength: RECEIVE_DATA_SEGMENT_BYTES,
  initialR2t: false,
  immediateData: true,
  maxBurstLength: 16_776_192,
  firstBurstLength: 262_144,
  maxOutstandingR2t: 8,
};

/** What both sides agreed on. */
export interface SessionParameters {
  headerDigest: boolean;
  dataDigest: boolean;
  /** The longest data segment that the target may send, in bytes. */
  maxRecvDataSegmentLength: number;
  /** The longest data segment that the target takes, in bytes. */
  targetMaxRecvDataSegmentLength: number;
  initialR2t: boolean;
  immediateData: boolean;
  maxBurstLength: number;
  firstBurstLength: number;
  maxOutstandingR2t: number;
  defaultTime2WaitSeconds: number;
  defaultTime2RetainSeconds: number;
  /** What the target said of itself; empty and -1 where it did not. */
  targetAlias: string;
  targetPortalGroupTag: number;
}

/** RFC 7143 chapter 13: what holds where nobody says anything. */
export function defaultParameters(offers: Offers): SessionParameters {
  return {
    headerDigest: false,
    dataDigest: false,
    maxRecvDataSegmentLength: offers.maxRecvDataSegmentLength,
    targetMaxRecvDataSegmentLength: DEFAULT_DATA_SEGMENT_BYTES,
    initialR2t: true,
    immediateData: true,
    maxBurstLength: 262_144,
    firstBurstLength: 65_536,
    maxOutstandingR2t: 1,
    defaultTime2WaitSeconds: 2,
    defaultTime2RetainSeconds: 20,
    targetAlias: "",
    targetPortalGroupTag: -1,
  };
}

const DIGEST_VALUES: Readonly<Record<DigestOffer, string>> = {
  required: "CRC32C",
  preferred: "CRC32C,None",
  none: "None",
};

function yesNo(value: boolean): string {
  return value ? "Yes" : "No";
}

/** The pairs of the operational stage. Discovery sessions carry no SCSI, so most keys mean nothing there. */
export function offerPairs(offers: Offers, discovery: boolean): TextPair[] {
  const common: TextPair[] = [
    ["HeaderDigest", DIGEST_VALUES[offers.headerDigest]],
    ["DataDigest", DIGEST_VALUES[offers.dataDigest]],
    ["MaxRecvDataSegmentLength", String(offers.maxRecvDataSegmentLength)],
    ["DefaultTime2Wait", "2"],
    ["DefaultTime2Retain", "0"],
    ["ErrorRecoveryLevel", "0"],
  ];
  if (discovery) return common;
  return [
    ...common,
    ["InitialR2T", yesNo(offers.initialR2t)],
    ["ImmediateData", yesNo(offers.immediateData)],
    ["MaxBurstLength", String(offers.maxBurstLength)],
    ["FirstBurstLength", String(Math.min(offers.firstBurstLength, offers.maxBurstLength))],
    ["MaxOutstandingR2T", String(offers.maxOutstandingR2t)],
    ["MaxConnections", "1"],
    ["DataPDUInOrder", "Yes"],
    ["DataSequenceInOrder", "Yes"],
  ];
}

const UNANSWERED = new Set(["Reject", "Irrelevant", "NotUnderstood"]);

function numberIn(key: string, value: string, min: number, max: number): number {
  const result = /^\d+$|^0[xX][0-9a-fA-F]+$/.test(value) ? Number(value) : Number.NaN;
  if (result >= min && result <= max) return result;
  throw new InitiatorError("protocol", `the target answered ${key}=${value}`);
}

function boolean(key: string, value: string): boolean {
  if (value === "Yes" || value === "No") return value === "Yes";
  throw new InitiatorError("protocol", `the target answered ${key}=${value}`);
}

function digest(key: string, value: string, offer: DigestOffer): boolean {
  if (value === "None" && offer !== "required") return false;
  if (value === "CRC32C" && offer !== "none") return true;
  if (value === "None" || value === "Reject") {
    throw new InitiatorError("login", `the target does not do ${key}=CRC32C, which is required`);
  }
  throw new InitiatorError("protocol", `the target answered ${key}=${value}`);
}

type Apply = (parameters: SessionParameters, value: string, offers: Offers) => void;

const BURST_MIN = 512;
const LENGTH_MAX = 0xff_ffff;

/** What each answer does. Other keys say nothing that this initiator has use for. */
const ANSWERS: Readonly<Record<string, Apply>> = {
  HeaderDigest: (parameters, value, offers) => {
    parameters.headerDigest = digest("HeaderDigest", value, offers.headerDigest);
  },
  DataDigest: (parameters, value, offers) => {
    parameters.dataDigest = digest("DataDigest", value, offers.dataDigest);
  },
  MaxRecvDataSegmentLength: (parameters, value) => {
    parameters.targetMaxRecvDataSegmentLength = numberIn(
      "MaxRecvDataSegmentLength",
      value,
      BURST_MIN,
      LENGTH_MAX,
    );
  },
  InitialR2T: (parameters, value, offers) => {
    parameters.initialR2t = boolean("InitialR2T", value) || offers.initialR2t;
  },
  ImmediateData: (parameters, value, offers) => {
    parameters.immediateData = boolean("ImmediateData", value) && offers.immediateData;
  },
  MaxBurstLength: (parameters, value, offers) => {
    const max = offers.maxBurstLength;
    parameters.maxBurstLength = numberIn("MaxBurstLength", value, BURST_MIN, max);
  },
  FirstBurstLength: (parameters, value, offers) => {
    const max = offers.firstBurstLength;
    parameters.firstBurstLength = numberIn("FirstBurstLength", value, BURST_MIN, max);
  },
  MaxOutstandingR2T: (parameters, value, offers) => {
    const max = offers.maxOutstandingR2t;
    parameters.maxOutstandingR2t = numberIn("MaxOutstandingR2T", value, 1, max);
  },
  DefaultTime2Wait: (parameters, value) => {
    parameters.defaultTime2WaitSeconds = numberIn("DefaultTime2Wait", value, 0, 3600);
  },
  DefaultTime2Retain: (parameters, value) => {
    parameters.defaultTime2RetainSeconds = numberIn("DefaultTime2Retain", value, 0, 3600);
  },
  ErrorRecoveryLevel: (_parameters, value) => {
    numberIn("ErrorRecoveryLevel", value, 0, 0);
  },
  TargetAlias: (parameters, value) => {
    parameters.targetAlias = value;
  },
  TargetPortalGroupTag: (parameters, value) => {
    parameters.targetPortalGroupTag = numberIn("TargetPortalGroupTag", value, 0, 0xffff);
  },
};

/** Takes the target's answers in. Throws `InitiatorError` of kind `protocol` for one that was not offered. */
export function applyAnswers(
  parameters: SessionParameters,
  pairs: readonly TextPair[],
  offers: Offers,
): void {
  for (const [key, value] of pairs) {
    if (UNANSWERED.has(value) && !key.endsWith("Digest")) continue;
    ANSWERS[key]?.(parameters, value, offers);
  }
}

/**
 * Keys that the target proposes by itself need an answer (RFC 7143 6.2). This initiator has offered everything that
 * it negotiates, so what comes on top is not understood here.
 */
export function answersToProposals(
  pairs: readonly TextPair[],
  offered: readonly TextPair[],
): TextPair[] {
  const known = new Set(offered.map(([key]) => key));
  return pairs
    .filter(([key, value]) => !known.has(key) && !(key in ANSWERS) && !UNANSWERED.has(value))
    .map(([key]) => [key, "NotUnderstood"]);
}
