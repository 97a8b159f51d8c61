/**
 * What can go wrong with I/O on a device or a volume, as few kinds as the boundaries tell apart.
 * Boundaries map a kind (to SCSI sense, an HTTP status, an exit code); the rest is for people and logs.
 */
export const IO_ERROR_KINDS = [
  /** The medium did not give or take the data (EIO). */
  "medium",
  /** No space is left behind a thin volume or a sparse file (ENOSPC, EDQUOT). */
  "space",
  /** No space is left now, and more is being made: the same request may succeed when it comes again. */
  "space-pending",
  /** The object cannot be written (read-only). */
  "read-only",
  /** The object is there no more (closed, removed, ENODEV, ENXIO). */
  "gone",
  /** The range lies outside the object: it shrank, or the caller is wrong. */
  "range",
  /** An earlier flush failed: what was acknowledged may be lost, so nothing more is accepted. */
  "failed",
  /** The object cannot do this at all. */
  "unsupported",
  /** The data differ from what was expected (VERIFY, COMPARE AND WRITE); `offsetBytes` is the first difference. */
  "miscompare",
] as const;

export type IoErrorKind = (typeof IO_ERROR_KINDS)[number];

/** An I/O failure: its kind, where it happened, and the system's own error as `cause`. */
export class IoError extends Error {
  override readonly name = "IoError";
  readonly kind: IoErrorKind;
  /** The device or volume, by the name its owner gave it. */
  readonly object: string;
  /** Where in the object, in bytes; -1 where no place applies. */
  readonly offsetBytes: number;

  constructor(
    kind: IoErrorKind,
    message: string,
    context: { object: string; offsetBytes?: number; cause?: unknown },
  ) {
    super(
      `${context.object}: ${message}`,
      context.cause === undefined ? {} : { cause: context.cause },
    );
    this.kind = kind;
    this.object = context.object;
    this.offsetBytes = context.offsetBytes ?? -1;
  }
}

/** Whether there is no space, now or for good. */
export function isShortage({ kind }: IoError): boolean {
  return kind === "space" || kind === "space-pending";
}
