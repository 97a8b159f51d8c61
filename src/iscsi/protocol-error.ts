import type { RejectReason } from "./pdu/reject.ts";

/**
 * The peer broke the protocol. It carries what to tell the peer: a Reject reason, or none where the RFC wants the
 * connection dropped at once because the stream cannot be trusted any more.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly rejectReason: RejectReason | null;

  constructor(message: string, rejectReason: RejectReason | null = null) {
    super(message);
    this.rejectReason = rejectReason;
  }
}
