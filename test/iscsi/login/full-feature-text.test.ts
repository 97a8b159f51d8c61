import { describe, expect, it } from "vitest";

import { answerFullFeatureText } from "../../../src/iscsi/login/full-feature-text.ts";
import type { TextPair } from "../../../src/iscsi/text/text-pairs.ts";

const record: TextPair = { key: "TargetName", value: "iqn.2001-04.com.example:a" };
const list = (value: string): readonly TextPair[] | null => (value === "All" ? [record] : null);

describe("answerFullFeatureText", () => {
  it.each<[string, string, readonly TextPair[]]>([
    ["SendTargets", "All", [record]],
    ["SendTargets", "", [{ key: "SendTargets", value: "Reject" }]],
    ["InitiatorAlias", "new", []],
    ["TargetAlias", "new", [{ key: "TargetAlias", value: "Reject" }]],
    ["MaxBurstLength", "512", [{ key: "MaxBurstLength", value: "Reject" }]],
    ["HeaderDigest", "CRC32C", [{ key: "HeaderDigest", value: "Reject" }]],
    ["AuthMethod", "CHAP", [{ key: "AuthMethod", value: "Reject" }]],
    ["X-vendor", "1", [{ key: "X-vendor", value: "NotUnderstood" }]],
    ["X-vendor", "NotUnderstood", []],
  ])("answers %s=%s", (key, value, pairs) => {
    expect(answerFullFeatureText([{ key, value }], list)).toEqual({
      ok: true,
      pairs,
      initiatorMaxRecvDataSegmentLengthBytes: null,
    });
  });

  it("takes a new segment length of the initiator, in its range", () => {
    const declare = (value: string): unknown =>
      answerFullFeatureText([{ key: "MaxRecvDataSegmentLength", value }], list);
    expect(declare("65536")).toEqual({
      ok: true,
      pairs: [],
      initiatorMaxRecvDataSegmentLengthBytes: 65_536,
    });
    for (const value of ["511", "16777216", "x", ""])
      expect(declare(value)).toMatchObject({ ok: false });
  });
});
