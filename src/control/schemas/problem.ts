import { ERROR_KINDS, type ErrorKind } from "./error-kinds.ts";
import { anyText, choice, natural, record, type Schema } from "./schema.ts";

/** Why something was refused or failed (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** Names the object and says what to do. */
  readonly detail: string;
  readonly kind: ErrorKind;
}

export const PROBLEM: Schema<Problem> = record<Problem>(
  {
    type: anyText("about:blank: HTTP's own, by its status"),
    title: anyText("what HTTP calls the status"),
    status: natural("the status of the answer"),
    detail: anyText("what is wrong, and what to do about it"),
    kind: choice("what kind of error it is", ERROR_KINDS),
  },
  "Problem",
);
