import {
  type BoundedOffer,
  type DigestOffer,
  OFFER_RANGES,
  type ParameterOffers,
} from "../../../iscsi/parameters.ts";
import { PING_RANGES, type PingSettings } from "../../../iscsi/ping-watch.ts";
import type { Redirect } from "../../../iscsi/target.ts";
import { decimalInt32, leadingNumber, uint32Of } from "../parameters.ts";

/** The session keys of tgt that are a number of ours. Others are shown as they were set, and change nothing. */
const NUMBERS: Readonly<Record<string, BoundedOffer>> = {
  MaxRecvDataSegmentLength: "maxRecvDataSegmentLengthBytes",
  MaxBurstLength: "maxBurstLengthBytes",
  FirstBurstLength: "firstBurstLengthBytes",
  MaxOutstandingR2T: "maxOutstandingR2t",
  DefaultTime2Wait: "defaultTime2WaitSeconds",
  DefaultTime2Retain: "defaultTime2RetainSeconds",
};

function digestOffer(value: string): DigestOffer {
  const words = value.split(",");
  const takesCrc = words.some((word) => word.startsWith("CRC32C"));
  if (!takesCrc) return "off";
  return words.some((word) => word.startsWith("None")) ? "allowed" : "required";
}

const NUMERIC = /^(Max|First|Default|Error|Target|Initiator)/;

/** A setting as tgt shows it afterwards: numbers in decimal, of two digests the one that protects, and of markers nothing. */
export function shownValue(key: string, value: string): string {
  if (key === "HeaderDigest" || key === "DataDigest") {
    return digestOffer(value) === "off" ? "None" : "CRC32C";
  }
  if (key === "OFMarkInt" || key === "IFMarkInt") return "Irrelevant";
  return NUMERIC.test(key) ? String(uint32Of(leadingNumber(value))) : value;
}

/** What a target offers after a key was set; numbers past what this host can keep are cut. */
export function offersOf(offers: ParameterOffers, key: string, value: string): ParameterOffers {
  const name = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
  if (name !== undefined) {
    const [low, high] = OFFER_RANGES[name];
    const number = Math.min(Math.max(uint32Of(leadingNumber(value)), low), high);
    const changed = { ...offers, [name]: number };
    const { maxBurstLengthBytes, firstBurstLengthBytes } = changed;
    // A first burst is never longer than a burst (RFC 7143 13.14), in whichever order they are set.
    return {
      ...changed,
      firstBurstLengthBytes: Math.min(firstBurstLengthBytes, maxBurstLengthBytes),
    };
  }
  switch (key) {
    case "HeaderDigest":
      return { ...offers, headerDigest: digestOffer(value) };
    case "DataDigest":
      return { ...offers, dataDigest: digestOffer(value) };
    case "InitialR2T":
      return { ...offers, initialR2t: value === "Yes" };
    case "ImmediateData":
      return { ...offers, immediateData: value === "Yes" };
    default:
      return offers;
  }
}

/** How many questions are asked and how often, as tgt's commands and its daemon's options name it. */
export const NOP_INTERVAL = "nop_interval";
export const NOP_COUNT = "nop_count";

/**
 * How initiators are asked whether they live. No interval at all is a decision, as with tgt. To drop them without a question, as tgt does
 * where there is an interval and no count, helps nobody: then they are asked as often as usual.
 */
export function pingsOf(settings: ReadonlyMap<string, string>): Partial<PingSettings> {
  const numberOf = (key: string, [, high]: readonly [number, number]): number | undefined => {
    const text = settings.get(key);
    return text === undefined ? undefined : Math.min(decimalInt32(text), high);
  };
  const interval = numberOf(NOP_INTERVAL, PING_RANGES.intervalSeconds);
  const count = numberOf(NOP_COUNT, PING_RANGES.count) ?? 0;
  return {
    ...(interval === undefined ? {} : { intervalSeconds: Math.max(interval, 0) }),
    ...(count < 1 ? {} : { count }),
  };
}

const PORT_MAX = 0xffff;

/**
 * Where a target sends whoever logs in: once an address, a port and a reason are set, as with tgt. A program that is asked for the
 * address is never run.
 */
export function redirectOf(settings: ReadonlyMap<string, string>): Redirect | null {
  const address = (settings.get("RedirectAddress") ?? "").replace(/^\[(.*)\]$/, "$1");
  const port = decimalInt32(settings.get("RedirectPort") ?? "");
  const reason = settings.get("RedirectReason");
  if (address === "" || port < 1 || port > PORT_MAX || reason === undefined) return null;
  return { address, port, permanent: reason.startsWith("Permanent") };
}
