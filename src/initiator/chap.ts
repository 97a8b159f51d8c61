import { createHash, timingSafeEqual } from "node:crypto";
import { InitiatorError } from "./initiator-error.ts";
import { CHAP_CHALLENGE_BYTES, CHAP_CHALLENGE_BYTES_MAX } from "./limits.ts";
import { decodeBinary, encodeBinary, valueOf, type TextPair } from "./text-keys.ts";

/** Algorithms by their number on the wire (RFC 7143 12.1.3 and the IANA registry), the strongest first. */
export const CHAP_ALGORITHMS = { "sha3-256": 8, sha256: 7, sha1: 6, md5: 5 } as const;
export type ChapAlgorithm = keyof typeof CHAP_ALGORITHMS;

const HASH_NAMES: Readonly<Record<ChapAlgorithm, string>> = {
  "sha3-256": "sha3-256",
  sha256: "sha256",
  sha1: "sha1",
  md5: "md5",
};

/** Who this initiator is, and, for mutual CHAP, who the target has to be. */
export interface ChapCredentials {
  readonly user: string;
  readonly secret: string;
  readonly mutual?: { readonly user: string; readonly secret: string };
  /** Offered in this order; all, strongest first, where it is left out. */
  readonly algorithms?: readonly ChapAlgorithm[];
}

/** RFC 1994 4.1: the digest of identifier, secret and challenge. */
export function chapResponse(
  algorithm: ChapAlgorithm,
  identifier: number,
  secret: string,
  challenge: Uint8Array,
): Buffer {
  return createHash(HASH_NAMES[algorithm])
    .update(Uint8Array.of(identifier))
    .update(secret, "utf8")
    .update(challenge)
    .digest();
}

function failed(message: string): InitiatorError {
  return new InitiatorError("login", message);
}

/** The initiator's side of one CHAP exchange: offer, answer, and the check of the target's own answer. */
export class ChapExchange {
  readonly #credentials: ChapCredentials;
  readonly #randomBytes: (lengthBytes: number) => Uint8Array;
  #algorithm: ChapAlgorithm = "sha3-256";
  #identifier = 0;
  #challenge: Uint8Array = new Uint8Array(0);

  constructor(credentials: ChapCredentials, randomBytes: (lengthBytes: number) => Uint8Array) {
    this.#credentials = credentials;
    this.#randomBytes = randomBytes;
  }

  get #offered(): readonly ChapAlgorithm[] {
    return this.#credentials.algorithms ?? (Object.keys(CHAP_ALGORITHMS) as ChapAlgorithm[]);
  }

  offer(): TextPair[] {
    const codes = this.#offered.map((algorithm) => CHAP_ALGORITHMS[algorithm]);
    return [["CHAP_A", codes.join(",")]];
  }

  /** Answers the target's challenge, and challenges the target where mutual authentication is wanted. */
  answer(pairs: readonly TextPair[]): TextPair[] {
    const code = valueOf(pairs, "CHAP_A");
    const chosen = this.#offered.find((name) => String(CHAP_ALGORITHMS[name]) === code);
    if (chosen === undefined)
      throw failed(`the target chose a CHAP algorithm not offered: ${code}`);
    this.#algorithm = chosen;
    const identifier = Number(valueOf(pairs, "CHAP_I"));
    const challenge = decodeBinary(valueOf(pairs, "CHAP_C") ?? "");
    if (!Number.isInteger(identifier) || identifier < 0 || identifier > 255) {
      throw failed("the target sent no valid CHAP_I");
    }
    if (challenge === undefined || challenge.length === 0) {
      throw failed("the target sent no valid CHAP_C");
    }
    if (challenge.length > CHAP_CHALLENGE_BYTES_MAX) throw failed("the CHAP challenge is too long");
    const { user, secret, mutual } = this.#credentials;
    const response = chapResponse(chosen, identifier, secret, challenge);
    const answer: TextPair[] = [
      ["CHAP_N", user],
      ["CHAP_R", encodeBinary(response)],
    ];
    if (mutual === undefined) return answer;
    // Own randomness on both: a target that could choose the identifier could replay an answer.
    this.#identifier = this.#randomBytes(1)[0] ?? 0;
    this.#challenge = this.#randomBytes(CHAP_CHALLENGE_BYTES);
    answer.push(["CHAP_I", String(this.#identifier)]);
    answer.push(["CHAP_C", encodeBinary(this.#challenge)]);
    return answer;
  }

  /** Checks who the target is; does nothing where mutual authentication is not wanted. */
  verify(pairs: readonly TextPair[]): void {
    const mutual = this.#credentials.mutual;
    if (mutual === undefined) return;
    const expected = chapResponse(
      this.#algorithm,
      this.#identifier,
      mutual.secret,
      this.#challenge,
    );
    const received = decodeBinary(valueOf(pairs, "CHAP_R") ?? "");
    if (received === undefined) throw failed("the target did not authenticate itself");
    const same = received.length === expected.length && timingSafeEqual(received, expected);
    if (!same || valueOf(pairs, "CHAP_N") !== mutual.user) {
      throw failed("the target failed to authenticate itself: its name or secret is wrong");
    }
  }
}
