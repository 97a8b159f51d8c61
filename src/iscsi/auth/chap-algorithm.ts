import { createHash } from "node:crypto";

/** The digest algorithms of CHAP by their number in CHAP_A (RFC 7143 12.1.3, IANA "PPP Authentication Algorithms"). */
export const ChapAlgorithm = { md5: 5, sha1: 6, sha256: 7, sha3: 8 } as const;
export type ChapAlgorithm = (typeof ChapAlgorithm)[keyof typeof ChapAlgorithm];

/** Strongest first: the order in which this end chooses, whatever the order of the initiator's list. */
export const CHAP_ALGORITHMS: readonly ChapAlgorithm[] = [
  ChapAlgorithm.sha3,
  ChapAlgorithm.sha256,
  ChapAlgorithm.sha1,
  ChapAlgorithm.md5,
];

const DIGEST_NAMES: Readonly<Record<ChapAlgorithm, string>> = {
  [ChapAlgorithm.md5]: "md5",
  [ChapAlgorithm.sha1]: "sha1",
  [ChapAlgorithm.sha256]: "sha256",
  [ChapAlgorithm.sha3]: "sha3-256",
};

/** Length of an algorithm's response, in bytes. */
export const CHAP_RESPONSE_BYTES: Readonly<Record<ChapAlgorithm, number>> = {
  [ChapAlgorithm.md5]: 16,
  [ChapAlgorithm.sha1]: 20,
  [ChapAlgorithm.sha256]: 32,
  [ChapAlgorithm.sha3]: 32,
};

/** The response of RFC 1994 4.1: the digest of the identifier, the secret and the challenge. */
export function chapResponse(
  algorithm: ChapAlgorithm,
  identifier: number,
  secret: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  return createHash(DIGEST_NAMES[algorithm])
    .update(Uint8Array.of(identifier))
    .update(secret)
    .update(challenge)
    .digest();
}

function works(algorithm: ChapAlgorithm): boolean {
  try {
    const response = chapResponse(algorithm, 0, new Uint8Array(1), new Uint8Array(1));
    return response.length === CHAP_RESPONSE_BYTES[algorithm];
  } catch {
    return false;
  }
}

let available: readonly ChapAlgorithm[] | null = null;

/**
 * The algorithms that this host's OpenSSL computes, strongest first. One in FIPS mode has no MD5: an algorithm that
 * would fail in the middle of a login must not be chosen at its start.
 */
export function availableChapAlgorithms(): readonly ChapAlgorithm[] {
  available ??= CHAP_ALGORITHMS.filter(works);
  return available;
}
