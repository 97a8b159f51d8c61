import { assert } from "../../util/assert.ts";
import { TEXT_ANSWER_BYTES_MAX, TEXT_BYTES_MAX, TEXT_REQUESTS_MAX } from "../login/limits.ts";
import { TextAccumulator } from "./text-accumulator.ts";
import { decodeTextPairs, encodeTextPairs, type TextPair } from "./text-pairs.ts";

/** The Target Transfer Tag that opens an exchange, and that ends one (RFC 7143 11.10.4, 11.11.4). */
export const NO_TRANSFER_TAG = 0xffff_ffff;

/** What an exchange sees of a Text Request (RFC 7143 11.10), and says in the Text Response to it (11.11). */
export interface TextPart {
  /** The F bit. */
  readonly final: boolean;
  /** The C bit. */
  readonly continued: boolean;
  readonly targetTransferTag: number;
  readonly text: Uint8Array;
}

/** The reply, or why the request is answered with a Reject PDU ("protocol error"); the exchange is over then. */
export type TextReply = TextPart | { readonly reject: string };

/** Answers a complete text: with keys, or with the reason of a Reject. */
export type TextAnswer = (
  pairs: readonly TextPair[],
) => { readonly pairs: readonly TextPair[] } | { readonly reject: string };

const NO_TEXT = new Uint8Array(0);

export interface TextExchangeOptions {
  readonly answer: TextAnswer;
  /** Our tag for this exchange, unlike those of other exchanges and transfers of the session. */
  readonly transferTag: number;
}

/**
 * One text negotiation in full-feature phase: the requests of one Initiator Task Tag (RFC 7143 11.10). Request and
 * answer may each take several PDUs; in between the initiator fetches with empty requests that carry our tag.
 */
export class TextExchange {
  readonly #answer: TextAnswer;
  readonly #transferTag: number;
  readonly #accumulator: TextAccumulator = new TextAccumulator(TEXT_BYTES_MAX);
  #pending: Uint8Array = NO_TEXT;
  #requests = 0;
  #ended = false;

  constructor(options: TextExchangeOptions) {
    assert(options.transferTag !== NO_TRANSFER_TAG, "the tag of an exchange is a real one");
    this.#answer = options.answer;
    this.#transferTag = options.transferTag;
  }

  /** Nothing more is to come under this task tag; a request that does opens a new exchange. */
  get ended(): boolean {
    return this.#ended;
  }

  /** `pieceBytes` is the initiator's MaxRecvDataSegmentLength as it is now: it may change within the exchange. */
  receive(request: TextPart, pieceBytes: number): TextReply {
    assert(!this.#ended, "an exchange that ended receives nothing");
    assert(pieceBytes > 0, "an initiator takes some text");
    const wrong = this.#take(request);
    if (wrong !== null) {
      this.#end();
      return { reject: wrong };
    }
    if (request.continued) return this.#reply(false, false, NO_TEXT);
    const piece = this.#pending.subarray(0, pieceBytes);
    this.#pending = this.#pending.subarray(piece.length);
    const continued = this.#pending.length > 0;
    // The target closes the exchange only where the initiator wants to (RFC 7143 11.11.1).
    const final = request.final && !continued;
    if (final) this.#end();
    return this.#reply(final, continued, piece);
  }

  /** Takes in one request, and has a complete text answered; returns what is wrong with it. */
  #take(request: TextPart): string | null {
    this.#requests++;
    if (this.#requests > TEXT_REQUESTS_MAX) return "the text exchange takes too many requests";
    if (request.final && request.continued) return "F and C are both set";
    if (request.targetTransferTag === NO_TRANSFER_TAG) {
      // RFC 7143 11.10.4: the reserved tag starts anew, whatever was going on.
      this.#accumulator.clear();
      this.#pending = NO_TEXT;
    } else if (request.targetTransferTag !== this.#transferTag || this.#requests === 1) {
      return "the target transfer tag is none of ours";
    }
    if (this.#pending.length > 0) {
      if (!request.continued && request.text.length === 0) return null;
      return "text before the rest of the answer was fetched";
    }
    if (!this.#accumulator.append(request.text)) return `more than ${TEXT_BYTES_MAX} bytes of text`;
    return request.continued ? null : this.#answerText();
  }

  #answerText(): string | null {
    const decoded = decodeTextPairs(this.#accumulator.take());
    if (!decoded.ok) return decoded.message;
    if (decoded.pairs.length === 0) return null;
    const answer = this.#answer(decoded.pairs);
    if ("reject" in answer) return answer.reject;
    const text = encodeTextPairs(answer.pairs);
    if (text.length > TEXT_ANSWER_BYTES_MAX) return `the answer has ${text.length} bytes`;
    this.#pending = text;
    return null;
  }

  #reply(final: boolean, continued: boolean, text: Uint8Array): TextPart {
    const targetTransferTag = final ? NO_TRANSFER_TAG : this.#transferTag;
    return { final, continued, targetTransferTag, text };
  }

  #end(): void {
    this.#ended = true;
    this.#accumulator.clear();
    this.#pending = NO_TEXT;
  }
}
