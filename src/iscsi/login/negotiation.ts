import { unreachable } from "../../util/assert.ts";
import {
  defaultParameters,
  type DigestOffer,
  type ParameterOffers,
  type SessionParameters,
} from "../parameters.ts";
import type { TextPair } from "../text/text-pairs.ts";
import { formatBoolean, parseBoolean, parseList, parseNumber } from "../text/text-values.ts";
import {
  KEY_TABLE,
  type BooleanKeyRow,
  type KeyRow,
  type ListKeyRow,
  type NumberKeyRow,
} from "./keys.ts";

/** The answers that are no value (RFC 7143 6.2). */
export const REJECT = "Reject";
export const IRRELEVANT = "Irrelevant";
export const NOT_UNDERSTOOD = "NotUnderstood";

/** Level of RFC 7143 itself (13.24); RFC 7144 would be 2. */
const PROTOCOL_LEVEL = 1;

/** What initiators repeat unchanged when they enter the next stage (libiscsi does), which harms nobody. */
const REPEATABLE_KEYS: ReadonlySet<string> = new Set([
  "InitiatorName",
  "InitiatorAlias",
  "SessionType",
  "TargetName",
]);

export type Negotiated =
  | { readonly ok: true; readonly replies: readonly TextPair[] }
  /** The peer broke the rules of negotiation: the login ends with "initiator error". */
  | { readonly ok: false; readonly reason: string };

/** One key's outcome: an answer, or none (a declaration), or the end of the login. */
type KeyOutcome =
  { readonly answer: string | null; readonly fatal?: never } | { readonly fatal: string };

const SILENT: KeyOutcome = { answer: null };

export interface NegotiationOptions {
  readonly offers: ParameterOffers;
  readonly discovery: boolean;
  /** Whether the login opens a session: only then do the session-wide keys mean anything. */
  readonly leading: boolean;
}

/** Which item of an initiator's digest list this end takes; null for none of them. */
function chooseDigest(items: readonly string[], offer: DigestOffer): "CRC32C" | "None" | null {
  const crc = items.includes("CRC32C");
  const none = items.includes("None");
  if (offer === "off") return none ? "None" : null;
  if (offer === "required") return crc ? "CRC32C" : null;
  if (crc && (offer === "preferred" || !none)) return "CRC32C";
  if (!none) return null;
  return crc && items.indexOf("CRC32C") < items.indexOf("None") ? "CRC32C" : "None";
}

function isReservedAnswer(value: string): boolean {
  return value === NOT_UNDERSTOOD || value === IRRELEVANT || value === REJECT;
}

/**
 * The operational keys of one login, by the key table: this end's answers and the parameters that come of them. The
 * identity and security keys are the login machine's, which asks {@link check} about them.
 */
export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #parameters: SessionParameters = defaultParameters();
  readonly #seen: Map<string, string> = new Map();

  constructor(options: NegotiationOptions) {
    this.#options = options;
  }

  /**
   * Whether a key may come now, at all: the rules on repetition (RFC 7143 6.3) and stage. Returns the reason why not,
   * null where it may, and `"repeated"` where the key is to be passed over.
   */
  check(pair: TextPair, stage: "security" | "operational"): "repeated" | { why: string } | null {
    const before = this.#seen.get(pair.key);
    if (before !== undefined) {
      if (REPEATABLE_KEYS.has(pair.key) && before === pair.value) return "repeated";
      return { why: `${pair.key} is negotiated a second time` };
    }
    this.#seen.set(pair.key, pair.value);
    const row = KEY_TABLE.get(pair.key);
    if (row === undefined) return null;
    if (row.use === "full-feature") return { why: `${pair.key} does not belong into a login` };
    if (stage === "security" && !row.security) {
      return { why: `${pair.key} does not belong into SecurityNegotiation` };
    }
    if (stage === "operational" && pair.key === "AuthMethod") {
      return { why: "AuthMethod does not belong into LoginOperationalNegotiation" };
    }
    return null;
  }

  /** Answers keys that {@link check} let through. FirstBurstLength comes last: its meaning depends on three others. */
  receive(pairs: readonly TextPair[]): Negotiated {
    const replies: TextPair[] = [];
    for (const last of [false, true]) {
      for (const pair of pairs) {
        if ((pair.key === "FirstBurstLength") !== last) continue;
        const outcome = this.#negotiate(pair);
        if (outcome.fatal !== undefined) return { ok: false, reason: outcome.fatal };
        if (outcome.answer !== null) replies.push({ key: pair.key, value: outcome.answer });
      }
    }
    return { ok: true, replies };
  }

  /** What this end declares with its first operational answer. */
  declare(): readonly TextPair[] {
    const { maxRecvDataSegmentLengthBytes } = this.#options.offers;
    this.#parameters.targetMaxRecvDataSegmentLengthBytes = maxRecvDataSegmentLengthBytes;
    return [{ key: "MaxRecvDataSegmentLength", value: String(maxRecvDataSegmentLengthBytes) }];
  }

  /** Why the login must not end here, or null. */
  unmet(): string | null {
    const { offers } = this.#options;
    if (offers.headerDigest === "required" && !this.#parameters.headerDigest) {
      return "the target requires HeaderDigest=CRC32C";
    }
    if (offers.dataDigest === "required" && !this.#parameters.dataDigest) {
      return "the target requires DataDigest=CRC32C";
    }
    return null;
  }

  /** What was agreed on. Of a login that is not leading, only the connection's own parameters count. */
  parameters(): SessionParameters {
    const agreed = { ...this.#parameters };
    // An initiator that lowers MaxBurstLength and leaves the other at its default means the lower one.
    agreed.firstBurstLengthBytes = Math.min(
      agreed.firstBurstLengthBytes,
      agreed.maxBurstLengthBytes,
    );
    return agreed;
  }

  #negotiate(pair: TextPair): KeyOutcome {
    const row = KEY_TABLE.get(pair.key);
    if (row === undefined) {
      // An answer to an answer would have no end.
      return isReservedAnswer(pair.value) ? SILENT : { answer: NOT_UNDERSTOOD };
    }
    if (row.sender === "target") return isReservedAnswer(pair.value) ? SILENT : { answer: REJECT };
    if (this.#isIrrelevant(row)) return { answer: IRRELEVANT };
    if (row.use === "leading" && !this.#options.leading) return { answer: REJECT };
    switch (row.kind) {
      case "declare-text":
        return SILENT;
      case "obsolete-boolean":
        // 13.25 lets "No" stand beside "Reject", and initiators of RFC 3720 take a Reject for a failure.
        return { answer: parseBoolean(pair.value) === null ? REJECT : "No" };
      case "obsolete-range":
        return { answer: REJECT };
      case "and":
      case "or":
        return this.#negotiateBoolean(row, pair.value);
      case "list":
        return this.#negotiateList(row, pair.value);
      case "declare-number":
      case "minimum":
      case "maximum":
        return this.#negotiateNumber(row, pair.value);
      default:
        return unreachable(row);
    }
  }

  #isIrrelevant(row: KeyRow): boolean {
    if (this.#options.discovery && row.irrelevantInDiscovery) return true;
    // RFC 7143 13.14: nothing is unsolicited.
    const { initialR2t, immediateData } = this.#parameters;
    return row.key === "FirstBurstLength" && initialR2t && !immediateData;
  }

  #negotiateNumber(row: NumberKeyRow, value: string): KeyOutcome {
    const number = parseNumber(value);
    const valid = number !== null && number >= row.minimum && number <= row.maximum;
    if (!valid) {
      // A declaration has no answer in which to refuse it (RFC 7143 6.2).
      return row.kind === "declare-number"
        ? { fatal: `${row.key} is declared out of its range` }
        : { answer: REJECT };
    }
    let agreed = number;
    if (row.kind === "minimum") agreed = Math.min(number, this.#numberOffer(row));
    if (row.kind === "maximum") agreed = Math.max(number, this.#numberOffer(row));
    if (row.parameter !== null) this.#parameters[row.parameter] = agreed;
    return row.kind === "declare-number" ? SILENT : { answer: String(agreed) };
  }

  #numberOffer(row: NumberKeyRow): number {
    const { offers } = this.#options;
    switch (row.parameter) {
      case null:
        return PROTOCOL_LEVEL;
      case "maxConnections":
        return 1;
      case "errorRecoveryLevel":
        return 0;
      case "maxBurstLengthBytes":
        return offers.maxBurstLengthBytes;
      case "firstBurstLengthBytes":
        return Math.min(offers.firstBurstLengthBytes, this.#parameters.maxBurstLengthBytes);
      case "maxOutstandingR2t":
        return offers.maxOutstandingR2t;
      case "defaultTime2WaitSeconds":
        return offers.defaultTime2WaitSeconds;
      case "defaultTime2RetainSeconds":
        return offers.defaultTime2RetainSeconds;
      case "initiatorMaxRecvDataSegmentLengthBytes":
      case "targetMaxRecvDataSegmentLengthBytes":
        return offers.maxRecvDataSegmentLengthBytes;
      default:
        return unreachable(row.parameter);
    }
  }

  #negotiateBoolean(row: BooleanKeyRow, value: string): KeyOutcome {
    const wanted = parseBoolean(value);
    if (wanted === null) return { answer: REJECT };
    const { offers } = this.#options;
    let offer = true;
    if (row.parameter === "initialR2t") offer = offers.initialR2t;
    if (row.parameter === "immediateData") offer = offers.immediateData;
    const agreed = row.kind === "and" ? wanted && offer : wanted || offer;
    this.#parameters[row.parameter] = agreed;
    return { answer: formatBoolean(agreed) };
  }

  #negotiateList(row: ListKeyRow, value: string): KeyOutcome {
    const items = parseList(value);
    if (items === null) return { answer: REJECT };
    if (row.key === "TaskReporting") {
      return { answer: items.includes("RFC3720") ? "RFC3720" : REJECT };
    }
    const { offers } = this.#options;
    if (row.key === "HeaderDigest") {
      const digest = chooseDigest(items, offers.headerDigest);
      this.#parameters.headerDigest = digest === "CRC32C";
      return { answer: digest ?? REJECT };
    }
    if (row.key === "DataDigest") {
      const digest = chooseDigest(items, offers.dataDigest);
      this.#parameters.dataDigest = digest === "CRC32C";
      return { answer: digest ?? REJECT };
    }
    return { answer: REJECT };
  }
}
