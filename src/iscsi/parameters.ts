/**
 * What a login agreed on, and what this target offers (RFC 7143 chapter 13). Bounds are the RFC's ranges, cut to what
 * this target can keep its word on.
 */
export interface SessionParameters {
  headerDigest: boolean;
  dataDigest: boolean;
  /** What the initiator takes in one data segment: the bound of what we send. It may declare it anew at any time. */
  initiatorMaxRecvDataSegmentLengthBytes: number;
  /** What the initiator was told that we take; the RFC's default where the login left no place to say so. */
  targetMaxRecvDataSegmentLengthBytes: number;
  maxBurstLengthBytes: number;
  /** Never above `maxBurstLengthBytes`. */
  firstBurstLengthBytes: number;
  maxOutstandingR2t: number;
  initialR2t: boolean;
  immediateData: boolean;
  dataPduInOrder: boolean;
  dataSequenceInOrder: boolean;
  defaultTime2WaitSeconds: number;
  defaultTime2RetainSeconds: number;
  errorRecoveryLevel: number;
  maxConnections: number;
}

/** The range of the three lengths (RFC 7143 13.12 to 13.14). */
export const SEGMENT_LENGTH_BYTES_MIN = 512;
export const SEGMENT_LENGTH_BYTES_MAX = 16_777_215;
/** The RFC's MaxRecvDataSegmentLength of an end that declared none. */
export const DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH_BYTES = 8192;

/** The values of RFC 7143 chapter 13 where a key was not negotiated. */
export function defaultParameters(): SessionParameters {
  return {
    headerDigest: false,
    dataDigest: false,
    initiatorMaxRecvDataSegmentLengthBytes: DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH_BYTES,
    targetMaxRecvDataSegmentLengthBytes: DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH_BYTES,
    maxBurstLengthBytes: 262_144,
    firstBurstLengthBytes: 65_536,
    maxOutstandingR2t: 1,
    initialR2t: true,
    immediateData: true,
    dataPduInOrder: true,
    dataSequenceInOrder: true,
    defaultTime2WaitSeconds: 2,
    defaultTime2RetainSeconds: 20,
    errorRecoveryLevel: 0,
    maxConnections: 1,
  };
}

/**
 * How this end treats a digest: `allowed` leaves the choice to the initiator's order, `preferred` takes CRC32C
 * wherever it is in the list, `required` refuses a login without it, `off` never computes one.
 */
export type DigestOffer = "off" | "allowed" | "preferred" | "required";

/** This end of every negotiation of a target: what it wants, and the most that it grants. */
export interface ParameterOffers {
  readonly headerDigest: DigestOffer;
  readonly dataDigest: DigestOffer;
  readonly maxRecvDataSegmentLengthBytes: number;
  readonly maxBurstLengthBytes: number;
  readonly firstBurstLengthBytes: number;
  readonly maxOutstandingR2t: number;
  readonly initialR2t: boolean;
  readonly immediateData: boolean;
  readonly defaultTime2WaitSeconds: number;
  readonly defaultTime2RetainSeconds: number;
}

/**
 * Generous by default: long segments, no R2T before the first burst, several R2Ts. MaxBurstLength is granted as the
 * initiator asks, since it costs no memory here: what is solicited at a time is this end's own choice. What is
 * unsolicited must be kept whenever it comes, so FirstBurstLength is bounded.
 */
export const DEFAULT_OFFERS: ParameterOffers = {
  headerDigest: "allowed",
  dataDigest: "allowed",
  maxRecvDataSegmentLengthBytes: 262_144,
  maxBurstLengthBytes: 16_776_192,
  firstBurstLengthBytes: 262_144,
  maxOutstandingR2t: 8,
  initialR2t: false,
  immediateData: true,
  defaultTime2WaitSeconds: 2,
  defaultTime2RetainSeconds: 20,
};

/** The offers that are numbers. */
export type BoundedOffer = {
  [Name in keyof ParameterOffers]: ParameterOffers[Name] extends number ? Name : never;
}[keyof ParameterOffers];

/** What an operator may set: the RFC's ranges, except that segments and first bursts are memory of this host. */
export const OFFER_RANGES: Readonly<Record<BoundedOffer, readonly [low: number, high: number]>> = {
  maxRecvDataSegmentLengthBytes: [SEGMENT_LENGTH_BYTES_MIN, 1_048_576],
  maxBurstLengthBytes: [SEGMENT_LENGTH_BYTES_MIN, SEGMENT_LENGTH_BYTES_MAX],
  firstBurstLengthBytes: [SEGMENT_LENGTH_BYTES_MIN, 1_048_576],
  maxOutstandingR2t: [1, 64],
  defaultTime2WaitSeconds: [0, 3600],
  defaultTime2RetainSeconds: [0, 3600],
};

/** What is wrong with offers, a sentence each that begins with the name of the setting; empty when they hold. */
export function offerProblems(offers: ParameterOffers): readonly string[] {
  const problems: string[] = [];
  for (const name of Object.keys(OFFER_RANGES) as BoundedOffer[]) {
    const [low, high] = OFFER_RANGES[name];
    const value = offers[name];
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      problems.push(`${name} must be a whole number from ${low} to ${high}, not ${value}`);
    }
  }
  if (offers.firstBurstLengthBytes > offers.maxBurstLengthBytes) {
    problems.push(
      `firstBurstLengthBytes must not exceed maxBurstLengthBytes (${offers.maxBurstLengthBytes})`,
    );
  }
  return problems;
}
