import { createHash } from "node:crypto";
import { expect, it } from "vitest";

import {
  availableChapAlgorithms,
  CHAP_ALGORITHMS,
  CHAP_RESPONSE_BYTES,
  chapResponse,
} from "../../../src/iscsi/auth/chap-algorithm.ts";

const names = { 5: "md5", 6: "sha1", 7: "sha256", 8: "sha3-256" } as const;

it.each(CHAP_ALGORITHMS)("algorithm %s digests identifier, secret and challenge", (algorithm) => {
  for (const secret of ["x", "a secret of alice", "s".repeat(256)]) {
    for (const identifier of [0, 127, 255]) {
      const challenge = Buffer.alloc(1024, identifier + 1);
      const input = Buffer.concat([Buffer.from([identifier]), Buffer.from(secret), challenge]);
      const response = chapResponse(algorithm, identifier, Buffer.from(secret), challenge);
      const naive = createHash(names[algorithm]).update(input).digest("hex");
      expect(Buffer.from(response).toString("hex")).toBe(naive);
      expect(response).toHaveLength(CHAP_RESPONSE_BYTES[algorithm]);
    }
  }
});

it("is strongest first, and knows what this host computes", () => {
  expect(CHAP_ALGORITHMS).toEqual([8, 7, 6, 5]);
  const available = availableChapAlgorithms();
  expect(available).toContain(7);
  expect(CHAP_ALGORITHMS.filter((one) => available.includes(one))).toEqual(available);
});
