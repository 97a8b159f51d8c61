/** What can go wrong with a pool as a whole, as few kinds as its users tell apart. */
export type PoolErrorKind =
  /** The request makes no sense: a bad name, size or option. */
  | "invalid"
  /** Something of that name or identity is there already. */
  | "exists"
  /** A pool, device or volume is not there. */
  | "missing"
  /** Somebody has it: mounted, locked, mapped, open. */
  | "busy"
  /** It belongs to somebody else: another host's pool, or data of another kind. */
  | "foreign"
  /** What is on the media is not what must be there. */
  | "corrupt"
  /** No space for it. */
  | "space"
  /** This version, or this device, cannot do it. */
  | "unsupported"
  /** The pool has stopped after a failed flush or metadata write. */
  | "failed"
  /** A device did not do its part. */
  | "io";

/** An error of a pool: its kind, a message that names the object and says what to do, and the cause. */
export class PoolError extends Error {
  override readonly name = "PoolError";
  readonly kind: PoolErrorKind;
  constructor(kind: PoolErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}
