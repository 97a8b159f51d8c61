import { FINDINGS_MAX } from "./limits.ts";

/** "error": data are lost or in danger; "warning": a spare part is missing, or something is wasted. */
export type Severity = "error" | "warning";

export interface Finding {
  readonly severity: Severity;
  readonly message: string;
}

/** What a tool has found; the first so many are kept, the others counted. */
export class Findings {
  readonly list: Finding[] = [];
  errors = 0;
  warnings = 0;

  error(message: string): void {
    this.errors += 1;
    this.#keep({ severity: "error", message });
  }

  warning(message: string): void {
    this.warnings += 1;
    this.#keep({ severity: "warning", message });
  }

  #keep(finding: Finding): void {
    if (this.list.length < FINDINGS_MAX) this.list.push(finding);
  }
}
