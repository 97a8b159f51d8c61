import type { RejectReason } from "./pdu/reject.ts";
import type { TaskLink } from "./task-link.ts";

/** What the full-feature phase asks of its connection beyond moving PDUs. */
export interface FullFeatureLink extends TaskLink {
  readonly cid: number;
  /** False once the connection is on its way down: nothing more is sent. */
  readonly live: boolean;
  /** Answers with a Reject PDU that shows the header at `base`. */
  reject(reason: RejectReason, bytes: Buffer, base: number, why: string): void;
  /** No further PDU is taken; the connection closes when all is sent. */
  finish(): void;
  /** The target was reset cold: every session of it ends. */
  coldReset(): void;
}
