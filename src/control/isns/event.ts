import type { Duplex } from "node:stream";
import { decodeAttributes, encodeAttributes, textOf } from "./attribute.ts";
import { IsnsFlag, IsnsFunction, IsnsStatus, IsnsTag, RESPONSE_BIT } from "./constants.ts";
import { encodeAnswer, encodeMessage, type IsnsMessage } from "./message.ts";
import { IsnsProtocolError } from "./protocol-error.ts";

/** What a server has said by itself, and what it is answered. */
export interface Heard {
  readonly answer: Buffer;
  /** The target that is to hear of a change; null: it was no news. */
  readonly changeFor: string | null;
}

/** Answers what servers say by themselves: whether this host is still there, and that something has changed. */
export function answerEvent(message: IsnsMessage): Heard {
  const { functionId, transactionId } = message;
  const answer = (status: number, attributes: Buffer): Buffer =>
    encodeMessage({
      functionId: functionId | RESPONSE_BIT,
      flags: IsnsFlag.fromClient,
      transactionId,
      payload: Buffer.concat([encodeAnswer({ status, attributes: [] }), attributes]),
    });
  const refuse = (status: number): Heard => ({
    answer: answer(status, Buffer.alloc(0)),
    changeFor: null,
  });
  try {
    const attributes = decodeAttributes(message.payload);
    switch (functionId) {
      case IsnsFunction.inquiry:
        // What was asked is what is answered (RFC 4171 5.6.5.13).
        return { answer: answer(IsnsStatus.successful, message.payload), changeFor: null };
      case IsnsFunction.notice: {
        const [target] = attributes;
        if (target?.tag !== IsnsTag.node) return refuse(IsnsStatus.messageFormat);
        const changeFor = textOf(target);
        return { answer: answer(IsnsStatus.successful, encodeAttributes([target])), changeFor };
      }
      default:
        return refuse(IsnsStatus.functionUnsupported);
    }
  } catch (error) {
    if (!(error instanceof IsnsProtocolError)) throw error;
    return refuse(IsnsStatus.messageFormat);
  }
}

/** Sends an answer. Nothing more is read of who does not read the answers: they would fill the memory. */
export function writeAnswer(stream: Duplex, answer: Buffer): void {
  if (stream.write(answer) || stream.isPaused()) return;
  stream.pause();
  stream.once("drain", () => stream.resume());
}
