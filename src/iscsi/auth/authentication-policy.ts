import { ACCOUNTS_MAX, SIMPLE_VALUE_BYTES_MAX } from "../login/limits.ts";
import { availableChapAlgorithms, type ChapAlgorithm } from "./chap-algorithm.ts";

/** A CHAP user and its secret. */
export interface ChapAccount {
  readonly user: string;
  /** The secret's bytes; text is taken as UTF-8. Never logged, never part of an error. */
  readonly secret: Uint8Array;
}

/**
 * Secrets shorter than 96 bits want a protected network (RFC 7143 9.2.1), and a Windows initiator refuses them; longer
 * ones than 256 bytes are a file that was pasted by mistake.
 */
export const CHAP_SECRET_BYTES_MIN = 12;
export const CHAP_SECRET_BYTES_MAX = 256;

/** What is wrong with an account: `errors` make it unusable, `warnings` are for the operator to read. */
export interface AccountProblems {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const CONTROL_CHARACTER = /\p{Cc}/u;

/** Checks an account. The sentences name the user, never the secret. */
export function accountProblems(account: ChapAccount): AccountProblems {
  const errors: string[] = [];
  const warnings: string[] = [];
  const userBytes = Buffer.byteLength(account.user);
  if (userBytes === 0 || userBytes > SIMPLE_VALUE_BYTES_MAX) {
    errors.push(`a CHAP user name has 1 to ${SIMPLE_VALUE_BYTES_MAX} bytes`);
  } else if (CONTROL_CHARACTER.test(account.user)) {
    errors.push("a CHAP user name has no control characters");
  }
  const secretBytes = account.secret.length;
  const user = JSON.stringify(account.user);
  if (secretBytes === 0 || secretBytes > CHAP_SECRET_BYTES_MAX) {
    errors.push(`the secret of ${user} must have 1 to ${CHAP_SECRET_BYTES_MAX} bytes`);
  } else if (secretBytes < CHAP_SECRET_BYTES_MIN) {
    warnings.push(
      `the secret of ${user} has ${secretBytes} bytes; below ${CHAP_SECRET_BYTES_MIN} it is easily guessed from one captured login`,
    );
  }
  return { errors, warnings };
}

/** Whom a target, or discovery, lets in by CHAP. */
export interface AuthenticationRules {
  /** Who may log in. Where there is none, no authentication is asked for. */
  readonly incoming: readonly ChapAccount[];
  /** How this end proves itself to an initiator that asks for it (mutual CHAP). */
  readonly outgoing: ChapAccount | null;
  /** `required` refuses initiators that do not ask this end to prove itself. */
  readonly mutual: "optional" | "required";
  /** What may be used; null for everything that works on this host. */
  readonly algorithms: readonly ChapAlgorithm[] | null;
}

export const NO_AUTHENTICATION: AuthenticationRules = {
  incoming: [],
  outgoing: null,
  mutual: "optional",
  algorithms: null,
};

/** What is wrong with a set of rules, a sentence each; empty when {@link AuthenticationPolicy} takes them. */
export function authenticationProblems(rules: AuthenticationRules): readonly string[] {
  const problems: string[] = [];
  if (rules.incoming.length > ACCOUNTS_MAX)
    return [`at most ${ACCOUNTS_MAX} accounts can be bound`];
  const users = new Set<string>();
  for (const account of rules.incoming) {
    problems.push(...accountProblems(account).errors);
    if (users.has(account.user)) {
      problems.push(`the account ${JSON.stringify(account.user)} is bound twice`);
    }
    users.add(account.user);
  }
  if (rules.outgoing !== null) {
    problems.push(...accountProblems(rules.outgoing).errors);
    if (sharesSecret(rules.outgoing, rules.incoming)) {
      // RFC 7143 12.1.3: the same secret both ways lets an impostor play our own challenge back to us.
      problems.push("the outgoing account must not have the secret of an incoming one");
    }
  }
  if (rules.mutual === "required" && (rules.outgoing === null || rules.incoming.length === 0)) {
    problems.push("mutual authentication needs an incoming and an outgoing account");
  }
  if (rules.algorithms !== null && usable(rules.algorithms).length === 0) {
    problems.push("none of the CHAP algorithms that are switched on works on this host");
  }
  return problems;
}

function sharesSecret(outgoing: ChapAccount, incoming: readonly ChapAccount[]): boolean {
  return incoming.some((account) => Buffer.compare(account.secret, outgoing.secret) === 0);
}

function usable(algorithms: readonly ChapAlgorithm[] | null): readonly ChapAlgorithm[] {
  const available = availableChapAlgorithms();
  return algorithms === null ? available : available.filter((one) => algorithms.includes(one));
}

/** The rules, checked and ready to be asked. Immutable. */
export class AuthenticationPolicy {
  readonly outgoing: ChapAccount | null;
  readonly mutualRequired: boolean;
  /** Strongest first. */
  readonly algorithms: readonly ChapAlgorithm[];
  readonly #secrets: Map<string, Uint8Array> = new Map();

  /** Throws a TypeError on rules that {@link authenticationProblems} objects to: the edge has checked them. */
  constructor(rules: AuthenticationRules = NO_AUTHENTICATION) {
    const problem = authenticationProblems(rules)[0];
    if (problem !== undefined) throw new TypeError(problem);
    this.outgoing = rules.outgoing;
    this.mutualRequired = rules.mutual === "required";
    this.algorithms = usable(rules.algorithms);
    for (const { user, secret } of rules.incoming) this.#secrets.set(user, secret);
  }

  /** Whether an initiator must authenticate itself. */
  get required(): boolean {
    return this.#secrets.size > 0;
  }

  secretOf(user: string): Uint8Array | null {
    return this.#secrets.get(user) ?? null;
  }
}
