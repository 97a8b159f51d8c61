import {
  type BoundedOffer,
  type DigestOffer,
  OFFER_RANGES,
  type ParameterOffers,
} from "../../../iscsi/parameters.ts";
import type { Redirect } from "../../../iscsi/target.ts";
import { leadingNumber } from "../parameters.ts";

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
  return NUMERIC.test(key) ? String(leadingNumber(value)) : value;
}

/** What a target offers after a key was set; numbers past what this host can keep are cut. */
export function offersOf(offers: ParameterOffers, key: string, value: string): ParameterOffers {
  const name = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
  if (name !== undefined) {
    const [low, high] = OFFER_RANGES[name];
    const number = Math.min(Math.max(leadingNumber(value), low), high);
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

const PORT_MAX = 0xffff;

/**
 * Where a target sends whoever logs in: once an address, a port and a reason are set, as with tgt. A program that is asked for the
 * address is never run.
 */
export function redirectOf(settings: ReadonlyMap<string, string>): Redirect | null {
  const address = (settings.get("RedirectAddress") ?? "").replace(/^\[(.*)\]$/, "$1");
  const port = leadingNumber(settings.get("RedirectPort") ?? "");
  const reason = settings.get("RedirectReason");
  if (address === "" || port < 1 || port > PORT_MAX || reason === undefined) return null;
  return { address, port, permanent: reason.startsWith("Permanent") };
}
