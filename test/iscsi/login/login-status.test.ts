import { expect, it } from "vitest";

import { LoginStatus } from "../../../src/iscsi/login/login-status.ts";

it("has each status once, in the four classes of RFC 7143 11.13.5", () => {
  const codes = Object.values(LoginStatus);
  expect(new Set(codes).size).toBe(codes.length);
  const details = [0, 1, 2, 3].map(
    (statusClass) => codes.filter((code) => code >>> 8 === statusClass).length,
  );
  expect(details).toEqual([1, 2, 12, 3]);
});
