import { timingSafeEqual } from "node:crypto";

import { assert } from "../../util/assert.ts";
import { parseBinary, parseList, parseNumber, formatBinary } from "../text/text-values.ts";
import type { TextPair } from "../text/text-pairs.ts";
import type { AuthenticationPolicy } from "./authentication-policy.ts";
import { CHAP_RESPONSE_BYTES, chapResponse, type ChapAlgorithm } from "./chap-algorithm.ts";
import type { RandomBytes } from "../../util/random.ts";

/**
 * Length of our challenges: that of the longest digest. Old initiators keep a challenge in buffers of 256 and more,
 * and RFC 7143 12.1.3 bounds it at 1,024.
 */
export const CHAP_CHALLENGE_BYTES = 32;

/** The keys of the CHAP exchange, for the dispatch of the login machine. */
export const CHAP_KEYS: ReadonlySet<string> = new Set([
  "CHAP_A",
  "CHAP_I",
  "CHAP_C",
  "CHAP_N",
  "CHAP_R",
]);

export type ChapStep =
  /** The exchange goes on (or is done, see {@link ChapTarget.user}) with these keys. */
  | { readonly ok: true; readonly pairs: readonly TextPair[] }
  /** The login ends with "authentication failure"; the reason is for the log, not for the peer. */
  | { readonly ok: false; readonly reason: string };

function refuse(reason: string): ChapStep {
  return { ok: false, reason };
}

/**
 * The target's side of CHAP (RFC 7143 12.1.3): the initiator lists algorithms, this end challenges, the initiator
 * answers and may challenge in turn, this end answers. One object an attempt; a wrong answer ends it.
 */
export class ChapTarget {
  readonly #policy: AuthenticationPolicy;
  readonly #randomBytes: RandomBytes;
  #algorithm: ChapAlgorithm | null = null;
  #identifier = 0;
  #challenge: Uint8Array = new Uint8Array(0);
  #ended = false;
  #user: string | null = null;

  constructor(policy: AuthenticationPolicy, randomBytes: RandomBytes) {
    assert(policy.required, "CHAP runs where it is asked for");
    this.#policy = policy;
    this.#randomBytes = randomBytes;
  }

  /** The account that proved itself; null until the exchange has succeeded. */
  get user(): string | null {
    return this.#user;
  }

  /** Takes the CHAP keys of one request, at least one. */
  receive(keys: ReadonlyMap<string, string>): ChapStep {
    if (this.#ended) return refuse("CHAP keys after the exchange");
    const step =
      this.#algorithm === null ? this.#choose(keys) : this.#verify(keys, this.#algorithm);
    if (!step.ok) this.#ended = true;
    return step;
  }

  #choose(keys: ReadonlyMap<string, string>): ChapStep {
    const list = keys.get("CHAP_A");
    if (list === undefined || keys.size !== 1) return refuse("CHAP_A expected, and nothing else");
    const offered = new Set((parseList(list) ?? []).map(parseNumber));
    const algorithm = this.#policy.algorithms.find((one) => offered.has(one));
    if (algorithm === undefined) return refuse("no CHAP algorithm in common");
    this.#algorithm = algorithm;
    const random = this.#randomBytes(1 + CHAP_CHALLENGE_BYTES);
    assert(random.length === 1 + CHAP_CHALLENGE_BYTES, "the source gives what is asked for");
    this.#identifier = random[0] ?? 0;
    this.#challenge = Uint8Array.from(random.subarray(1));
    return {
      ok: true,
      pairs: [
        { key: "CHAP_A", value: String(algorithm) },
        { key: "CHAP_I", value: String(this.#identifier) },
        { key: "CHAP_C", value: formatBinary(this.#challenge) },
      ],
    };
  }

  #verify(keys: ReadonlyMap<string, string>, algorithm: ChapAlgorithm): ChapStep {
    const user = keys.get("CHAP_N");
    const responseText = keys.get("CHAP_R");
    if (user === undefined || responseText === undefined || keys.has("CHAP_A")) {
      return refuse("CHAP_N and CHAP_R expected");
    }
    const response = parseBinary(responseText);
    if (response === null || response.length !== CHAP_RESPONSE_BYTES[algorithm]) {
      return refuse("CHAP_R is no response of the algorithm");
    }
    // An unknown user is checked against a secret that nobody knows: neither the answer nor its time tells an
    // initiator which names exist.
    const secret = this.#policy.secretOf(user);
    const compared = secret ?? this.#randomBytes(CHAP_RESPONSE_BYTES[algorithm]);
    const expected = chapResponse(algorithm, this.#identifier, compared, this.#challenge);
    if (!timingSafeEqual(expected, response) || secret === null) {
      return refuse("wrong user or secret");
    }
    const proof = this.#prove(keys, algorithm, secret);
    if (proof.ok) {
      this.#user = user;
      this.#ended = true;
    }
    return proof;
  }

  /** Answers the initiator's challenge, where it sent one (mutual CHAP). */
  #prove(
    keys: ReadonlyMap<string, string>,
    algorithm: ChapAlgorithm,
    secret: Uint8Array,
  ): ChapStep {
    const identifierText = keys.get("CHAP_I");
    const challengeText = keys.get("CHAP_C");
    if (identifierText === undefined && challengeText === undefined) {
      if (this.#policy.mutualRequired) return refuse("the initiator does not ask for mutual CHAP");
      return { ok: true, pairs: [] };
    }
    const identifier = parseNumber(identifierText ?? "");
    const challenge = parseBinary(challengeText ?? "");
    if (identifier === null || identifier > 255 || challenge === null) {
      return refuse("CHAP_I or CHAP_C of the initiator is malformed");
    }
    // RFC 7143 12.1.3: a challenge of ours that comes back, on this connection, is an attempt to have us compute
    // the answer that was asked of the initiator.
    if (Buffer.compare(challenge, this.#challenge) === 0) return refuse("our challenge came back");
    const { outgoing } = this.#policy;
    if (outgoing === null) return refuse("the initiator asks for mutual CHAP, which is not set up");
    assert(Buffer.compare(outgoing.secret, secret) !== 0, "the two directions have two secrets");
    const response = chapResponse(algorithm, identifier, outgoing.secret, challenge);
    return {
      ok: true,
      pairs: [
        { key: "CHAP_N", value: outgoing.user },
        { key: "CHAP_R", value: formatBinary(response) },
      ],
    };
  }
}
