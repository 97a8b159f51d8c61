import { expect, it } from "vitest";

import {
  BINARY_CONSTANT_BYTES_MAX,
  ISCSI_NAME_BYTES_MAX,
  LOGIN_LIMITS,
  LOGIN_REPLY_BYTES_MAX,
  SIMPLE_VALUE_BYTES_MAX,
  TEXT_ANSWER_BYTES_MAX,
  TEXT_BYTES_MAX,
  TEXT_REQUESTS_MAX,
} from "../../../src/iscsi/login/limits.ts";
import { SEGMENT_LENGTH_BYTES_MIN } from "../../../src/iscsi/parameters.ts";

it("grants at least what RFC 7143 asks for, and what other limits let through", () => {
  expect(TEXT_BYTES_MAX).toBeGreaterThanOrEqual(8192);
  expect(LOGIN_REPLY_BYTES_MAX).toBeLessThanOrEqual(8192);
  expect(ISCSI_NAME_BYTES_MAX).toBeLessThanOrEqual(SIMPLE_VALUE_BYTES_MAX);
  // A response and a challenge of mutual CHAP, both as long as may be, fit into one login.
  expect(LOGIN_LIMITS.textBytesMax).toBeGreaterThan(2 * BINARY_CONSTANT_BYTES_MAX + 4096);
  // The longest answer can be fetched by the initiator with the smallest segments.
  expect(TEXT_REQUESTS_MAX * SEGMENT_LENGTH_BYTES_MIN).toBeGreaterThanOrEqual(
    TEXT_ANSWER_BYTES_MAX,
  );
});
