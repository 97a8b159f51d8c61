/**
 * "" is success; "unsupported" and "EIO", "ENOSPC" and so on tell what was wrong; "died" when nobody knows; "stopped":
 * nothing was done.
 */
export type RangeOutcome =
  | ""
  | "unsupported"
  | "died"
  | "stopped"
  | "EIO"
  | "ENOSPC"
  | "EPERM"
  | "EROFS"
  | "EINVAL"
  | "ENODEV"
  | "EBUSY";

/**
 * A program that stays and clears ranges of the file or device that it inherits: it reads lines "operation offset
 * length", in bytes, works them off in order, and answers each with one line.
 */
export interface RangeProgram {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /**
   * What it says first, once it knows that it can do its work: what ends before that has cleared nothing, and is told
   * of no range. Null: it is told at once.
   */
  readonly greeting: string | null;
  /** Ranges that it may be told of before it has answered the first of them. */
  readonly sentRangesMax: number;
  outcomeOf(answer: string): RangeOutcome;
}
