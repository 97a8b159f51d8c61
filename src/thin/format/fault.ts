/** Why bytes from a disk cannot be used. */
export type FaultKind =
  /** Nothing of this format lies here. */
  | "absent"
  /** It is of this format, and broken: a wrong checksum, or values that cannot be. */
  | "damaged"
  /** Whole, but not what was asked for: of another pool, place, kind or generation. */
  | "misplaced"
  /** It uses what this version does not know. */
  | "unsupported";

/** What decoders return instead of a value; they never throw for what a disk says. */
export class FormatFault {
  readonly kind: FaultKind;
  /** For people: what was found, in a few words. */
  readonly message: string;

  constructor(kind: FaultKind, message: string) {
    this.kind = kind;
    this.message = message;
  }
}

export function isFault<T>(value: T | FormatFault): value is FormatFault {
  return value instanceof FormatFault;
}
