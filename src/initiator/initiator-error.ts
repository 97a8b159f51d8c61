import type { Sense } from "./sense.ts";

/**
 * What went wrong, in as few kinds as callers tell apart:
 * `invalid`: what the caller asked for makes no sense; `connect`: no connection; `login`: the target refused; `redirect`: it named another address and this was not to be
 * followed; `protocol`: the peer broke RFC 7143; `timeout`: no answer in time; `closed`: the connection is gone;
 * `rejected`: the target answered with a Reject PDU; `check-condition`, `status`: the command ended so.
 */
export type InitiatorErrorKind =
  | "invalid"
  | "connect"
  | "login"
  | "redirect"
  | "protocol"
  | "timeout"
  | "closed"
  | "rejected"
  | "check-condition"
  | "status";

/** What is known beyond the message; only what belongs to the kind is there. */
export interface InitiatorErrorContext {
  /** `login` and `redirect`: RFC 7143 11.13.5. */
  readonly statusClass?: number;
  readonly statusDetail?: number;
  /** `redirect`: the TargetAddress that the target gave. */
  readonly targetAddress?: string;
  /** `rejected`: RFC 7143 11.17.1. */
  readonly reason?: number;
  /** `check-condition` and `status`: the SCSI status. */
  readonly status?: number;
  /** `check-condition`, where the target sent sense data. */
  readonly sense?: Sense;
  readonly cause?: unknown;
}

/** Every failure of the initiator that is not a defect of its caller. */
export class InitiatorError extends Error {
  override readonly name = "InitiatorError";
  readonly kind: InitiatorErrorKind;
  readonly context: InitiatorErrorContext;

  constructor(kind: InitiatorErrorKind, message: string, context: InitiatorErrorContext = {}) {
    super(message, context.cause === undefined ? {} : { cause: context.cause });
    this.kind = kind;
    this.context = context;
  }
}
