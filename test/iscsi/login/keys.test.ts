import { describe, expect, it } from "vitest";

import { KEY_ROWS, KEY_TABLE } from "../../../src/iscsi/login/keys.ts";
import { defaultParameters } from "../../../src/iscsi/parameters.ts";

describe("the key table", () => {
  it("has every key of RFC 7143 once", () => {
    expect(KEY_TABLE.size).toBe(KEY_ROWS.length);
    // Clauses 13.1 (two keys) to 13.26 without 13.22 (X-keys as such), four obsolete ones in 13.25, and AuthMethod.
    const clauses = new Set(KEY_ROWS.map((row) => row.clause));
    for (let clause = 1; clause <= 26; clause++) {
      expect(clauses.has(`13.${clause}`)).toBe(clause !== 22);
    }
    expect(KEY_ROWS).toHaveLength(26 - 1 + 1 + 3 + 1);
  });

  it("has the RFC's default within each numeric range", () => {
    const defaults = defaultParameters();
    for (const row of KEY_ROWS) {
      if (row.kind !== "minimum" && row.kind !== "maximum" && row.kind !== "declare-number")
        continue;
      expect(row.minimum).toBeLessThan(row.maximum);
      if (row.parameter === null) continue;
      expect(defaults[row.parameter]).toBeGreaterThanOrEqual(row.minimum);
      expect(defaults[row.parameter]).toBeLessThanOrEqual(row.maximum);
    }
  });

  it("admits to the security stage declarations and AuthMethod, but no negotiation of the data path", () => {
    const admitted = KEY_ROWS.filter((row) => row.security).map((row) => row.key);
    expect(admitted.toSorted()).toEqual([
      "AuthMethod",
      "InitiatorAlias",
      "InitiatorName",
      "MaxRecvDataSegmentLength",
      "SessionType",
      "TargetAddress",
      "TargetAlias",
      "TargetName",
      "TargetPortalGroupTag",
      "X#NodeArchitecture",
    ]);
  });

  it("calls irrelevant only what belongs to a leading login", () => {
    for (const row of KEY_ROWS) {
      if (row.irrelevantInDiscovery) expect(row.use).toBe("leading");
    }
  });
});
