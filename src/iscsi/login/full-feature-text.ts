import type { TextPair } from "../text/text-pairs.ts";
import { parseNumber } from "../text/text-values.ts";
import { KEY_TABLE } from "./keys.ts";
import { IRRELEVANT, NOT_UNDERSTOOD, REJECT } from "./negotiation.ts";

export type FullFeatureAnswer =
  | {
      readonly ok: true;
      readonly pairs: readonly TextPair[];
      /** The initiator's new MaxRecvDataSegmentLength, from the next PDU on; null where it declared none. */
      readonly initiatorMaxRecvDataSegmentLengthBytes: number | null;
    }
  /** A protocol error: the Text Request is answered with a Reject PDU. */
  | { readonly ok: false; readonly reason: string };

/**
 * Answers the keys of a Text Request in full-feature phase. Only two do anything there: SendTargets, for which
 * `listTargets` gives the records (or null to refuse), and MaxRecvDataSegmentLength (RFC 7143 13.3, 13.12). Keys of the
 * login are refused and unknown ones not understood.
 */
export function answerFullFeatureText(
  pairs: readonly TextPair[],
  listTargets: (value: string) => readonly TextPair[] | null,
): FullFeatureAnswer {
  const replies: TextPair[] = [];
  let declared: number | null = null;
  for (const { key, value } of pairs) {
    const row = KEY_TABLE.get(key);
    if (key === "SendTargets") {
      replies.push(...(listTargets(value) ?? [{ key, value: REJECT }]));
    } else if (row?.kind === "declare-number") {
      declared = parseNumber(value);
      if (declared === null || declared < row.minimum || declared > row.maximum) {
        return { ok: false, reason: `${key} is declared out of its range` };
      }
    } else if (value === NOT_UNDERSTOOD || value === IRRELEVANT || value === REJECT) {
      // Nothing was asked, so this answers nothing; an answer to it would have no end.
      continue;
    } else if (row === undefined) {
      replies.push({ key, value: NOT_UNDERSTOOD });
    } else if (row.use !== "all" || row.sender === "target") {
      replies.push({ key, value: REJECT });
    }
  }
  return { ok: true, pairs: replies, initiatorMaxRecvDataSegmentLengthBytes: declared };
}
