import { answerFullFeatureText } from "./login/full-feature-text.ts";
import { SEND_TEXT_BYTES_MAX } from "./limits.ts";
import { decodeText, encodeTextResponse } from "./pdu/text.ts";
import { RejectReason } from "./pdu/reject.ts";
import type { FullFeatureLink } from "./full-feature-link.ts";
import { TextExchange } from "./text/text-exchange.ts";
import type { TextPair } from "./text/text-pairs.ts";

/** Target transfer tags of text exchanges: apart from those of R2Ts, whose high half is below 7FFFh. */
const TEXT_TAG_BASE = 0xfffe_0000;
const TEXT_TAG_MASK = 0xffff;

/** Text requests in full-feature phase (RFC 7143 11.10): one exchange at a time, SendTargets above all. */
export class TextPhase {
  readonly #link: FullFeatureLink;
  readonly #listTargets: (value: string) => readonly TextPair[] | null;
  #exchange: TextExchange | null = null;
  #exchangeTaskTag = 0;
  #tagCount = 0;

  constructor(link: FullFeatureLink, listTargets: (value: string) => readonly TextPair[] | null) {
    this.#link = link;
    this.#listTargets = listTargets;
  }

  onRequest(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const link = this.#link;
    const request = decodeText(bytes, base);
    const exchange = this.#exchangeFor(request.initiatorTaskTag);
    const pieceBytes = Math.min(
      link.parameters.initiatorMaxRecvDataSegmentLengthBytes,
      SEND_TEXT_BYTES_MAX,
    );
    const text = bytes.subarray(dataOffset, dataOffset + dataBytes);
    const reply = exchange.receive({ ...request, text }, pieceBytes);
    if ("reject" in reply) {
      this.#exchange = null;
      link.reject(RejectReason.protocolError, bytes, base, reply.reject);
      return;
    }
    const { sendQueue } = link;
    const at = sendQueue.reserve(reply.text.length);
    const fields = { ...reply, initiatorTaskTag: request.initiatorTaskTag };
    encodeTextResponse(sendQueue.buffer, at, fields, reply.text.length);
    sendQueue.buffer.set(reply.text, sendQueue.dataOffset(at));
    link.commitStatus(at);
    if (exchange.ended) this.#exchange = null;
  }

  /** A request with another task tag gives up what went on before (RFC 7143 11.10.3). */
  #exchangeFor(initiatorTaskTag: number): TextExchange {
    if (this.#exchange === null || this.#exchangeTaskTag !== initiatorTaskTag) {
      this.#tagCount = (this.#tagCount + 1) & TEXT_TAG_MASK;
      this.#exchange = new TextExchange({
        transferTag: TEXT_TAG_BASE + this.#tagCount,
        answer: (pairs) => this.#answer(pairs),
      });
      this.#exchangeTaskTag = initiatorTaskTag;
    }
    return this.#exchange;
  }

  #answer(
    pairs: readonly TextPair[],
  ): { readonly pairs: readonly TextPair[] } | { readonly reject: string } {
    const answer = answerFullFeatureText(pairs, this.#listTargets);
    if (!answer.ok) return { reject: answer.reason };
    const declaredBytes = answer.initiatorMaxRecvDataSegmentLengthBytes;
    if (declaredBytes !== null) {
      this.#link.parameters.initiatorMaxRecvDataSegmentLengthBytes = declaredBytes;
    }
    return { pairs: answer.pairs };
  }
}
