import { PoolError } from "../pool-error.ts";
import { DATA_TYPE, describeFinding, findingName, type Finding } from "./finding.ts";
import { CONSENT_NAME_LENGTH_MAX } from "./limits.ts";

/** What an administrator agrees to lose. */
export interface Consent {
  /** The exact names of findings, "<type>:<uuid or '-'>", each typed out. */
  readonly wipe: readonly string[];
  /** Bytes of unknown meaning may go, too. */
  readonly acceptData: boolean;
}

/** What was found on one path. */
export interface PathFindings {
  readonly path: string;
  readonly findings: readonly Finding[];
}

function isConsented(finding: Finding, consent: Consent): boolean {
  if (finding.type === DATA_TYPE) return consent.acceptData;
  return consent.wipe.includes(findingName(finding));
}

/** One line for each name: a signature and its copies are lost together. */
function describeOnce(findings: readonly Finding[]): string {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    if (!seen.has(findingName(finding))) seen.set(findingName(finding), finding);
  }
  return [...seen.values()].map(describeFinding).join(", ");
}

function refusal(path: string, findings: readonly Finding[]): PoolError {
  const names = new Set(
    findings.filter(({ type }) => type !== DATA_TYPE).map((finding) => findingName(finding)),
  );
  const hints = [...names].map((name) => `--wipe ${name}`);
  if (findings.some(({ type }) => type === DATA_TYPE)) hints.push("--i-know-this-is-not-empty");
  return new PoolError(
    "foreign",
    `${path} is not empty: ${describeOnce(findings)}; to destroy it give ${hints.join(" ")}`,
  );
}

/**
 * Checks that everything that would be lost has been named, and that everything that was named is there: a name that fits nothing
 * was meant for another disk.
 *
 * @throws {PoolError} `foreign`: and what is in the way; `invalid`: a name that fits nothing
 */
export function checkConsent(paths: readonly PathFindings[], consent: Consent): void {
  for (const { path, findings } of paths) {
    const refused = findings.filter((finding) => !isConsented(finding, consent));
    if (refused.length > 0) throw refusal(path, refused);
  }
  const present = new Set(paths.flatMap(({ findings }) => findings.map(findingName)));
  for (const name of consent.wipe) {
    if (present.has(name)) continue;
    const shown = JSON.stringify(name.slice(0, CONSENT_NAME_LENGTH_MAX));
    const where = paths.map(({ path }) => path).join(", ");
    throw new PoolError("invalid", `nothing called ${shown} is on ${where}; nothing was changed`);
  }
}
