import { describe, expect, it } from "vitest";

import { Negotiation } from "../../../src/iscsi/login/negotiation.ts";
import {
  DEFAULT_OFFERS,
  defaultParameters,
  type DigestOffer,
  type ParameterOffers,
  type SessionParameters,
} from "../../../src/iscsi/parameters.ts";
import type { TextPair } from "../../../src/iscsi/text/text-pairs.ts";

interface Situation {
  readonly offers?: Partial<ParameterOffers>;
  readonly discovery?: boolean;
  readonly leading?: boolean;
}

function open(situation: Situation = {}): Negotiation {
  return new Negotiation({
    offers: { ...DEFAULT_OFFERS, ...situation.offers },
    discovery: situation.discovery ?? false,
    leading: situation.leading ?? true,
  });
}

function pairs(items: readonly string[]): TextPair[] {
  return items.map((item) => {
    const [key = "", value = ""] = item.split("=", 2);
    return { key, value };
  });
}

/** What a text is answered with, in the order of the answers; `fatal` where it ends the login. */
function negotiate(negotiation: Negotiation, items: readonly string[]): string[] {
  const outcome = negotiation.receive(pairs(items));
  return outcome.ok ? outcome.replies.map(({ key, value }) => `${key}=${value}`) : ["fatal"];
}

type Row = [
  proposal: string,
  answer: string,
  parameters: Partial<SessionParameters>,
  situation?: Situation,
];

const rows: readonly Row[] = [
  // Minimum, and its range.
  ["MaxBurstLength=1048576", "MaxBurstLength=1048576", { maxBurstLengthBytes: 1_048_576 }],
  ["MaxBurstLength=16777215", "MaxBurstLength=16776192", { maxBurstLengthBytes: 16_776_192 }],
  ["MaxBurstLength=0x10000", "MaxBurstLength=65536", { maxBurstLengthBytes: 65_536 }],
  [
    "MaxBurstLength=512",
    "MaxBurstLength=512",
    { maxBurstLengthBytes: 512, firstBurstLengthBytes: 512 },
  ],
  ["MaxBurstLength=511", "MaxBurstLength=Reject", {}],
  ["MaxBurstLength=16777216", "MaxBurstLength=Reject", {}],
  ["MaxBurstLength=-1", "MaxBurstLength=Reject", {}],
  ["MaxBurstLength=1e6", "MaxBurstLength=Reject", {}],
  ["MaxBurstLength=", "MaxBurstLength=Reject", {}],
  ["MaxBurstLength=512~1024", "MaxBurstLength=Reject", {}],
  ["FirstBurstLength=999999", "FirstBurstLength=262144", { firstBurstLengthBytes: 262_144 }],
  ["MaxOutstandingR2T=1", "MaxOutstandingR2T=1", {}],
  ["MaxOutstandingR2T=65535", "MaxOutstandingR2T=8", { maxOutstandingR2t: 8 }],
  ["MaxOutstandingR2T=0", "MaxOutstandingR2T=Reject", {}],
  ["MaxConnections=8", "MaxConnections=1", {}],
  ["MaxConnections=0", "MaxConnections=Reject", {}],
  ["ErrorRecoveryLevel=2", "ErrorRecoveryLevel=0", {}],
  ["ErrorRecoveryLevel=3", "ErrorRecoveryLevel=Reject", {}],
  ["DefaultTime2Retain=0", "DefaultTime2Retain=0", { defaultTime2RetainSeconds: 0 }],
  ["DefaultTime2Retain=3600", "DefaultTime2Retain=20", {}],
  ["DefaultTime2Retain=3601", "DefaultTime2Retain=Reject", {}],
  ["iSCSIProtocolLevel=2", "iSCSIProtocolLevel=1", {}],
  ["iSCSIProtocolLevel=0", "iSCSIProtocolLevel=0", {}],
  ["iSCSIProtocolLevel=32", "iSCSIProtocolLevel=Reject", {}],
  // Maximum.
  ["DefaultTime2Wait=0", "DefaultTime2Wait=2", {}],
  ["DefaultTime2Wait=5", "DefaultTime2Wait=5", { defaultTime2WaitSeconds: 5 }],
  // Booleans: the product and the sum.
  ["InitialR2T=No", "InitialR2T=No", { initialR2t: false }],
  ["InitialR2T=Yes", "InitialR2T=Yes", {}],
  ["InitialR2T=No", "InitialR2T=Yes", {}, { offers: { initialR2t: true } }],
  ["InitialR2T=no", "InitialR2T=Reject", {}],
  ["InitialR2T=", "InitialR2T=Reject", {}],
  ["ImmediateData=Yes", "ImmediateData=Yes", {}],
  ["ImmediateData=No", "ImmediateData=No", { immediateData: false }],
  [
    "ImmediateData=Yes",
    "ImmediateData=No",
    { immediateData: false },
    { offers: { immediateData: false } },
  ],
  ["DataPDUInOrder=No", "DataPDUInOrder=Yes", {}],
  ["DataSequenceInOrder=No", "DataSequenceInOrder=Yes", {}],
  // Lists.
  ["HeaderDigest=CRC32C,None", "HeaderDigest=CRC32C", { headerDigest: true }],
  ["HeaderDigest=None,CRC32C", "HeaderDigest=None", {}],
  ["HeaderDigest=X-other,CRC32C", "HeaderDigest=CRC32C", { headerDigest: true }],
  ["HeaderDigest=X-other", "HeaderDigest=Reject", {}],
  ["HeaderDigest=", "HeaderDigest=Reject", {}],
  ["HeaderDigest=None,", "HeaderDigest=Reject", {}],
  ["HeaderDigest=crc32c", "HeaderDigest=Reject", {}],
  ["DataDigest=CRC32C", "DataDigest=CRC32C", { dataDigest: true }],
  ["TaskReporting=FastAbort,RFC3720", "TaskReporting=RFC3720", {}],
  ["TaskReporting=FastAbort", "TaskReporting=Reject", {}],
  // Declarations have no answer.
  ["MaxRecvDataSegmentLength=65536", "", { initiatorMaxRecvDataSegmentLengthBytes: 65_536 }],
  ["MaxRecvDataSegmentLength=511", "fatal", {}],
  ["MaxRecvDataSegmentLength=16777216", "fatal", {}],
  ["MaxRecvDataSegmentLength=many", "fatal", {}],
  ["InitiatorAlias=anything at all", "", {}],
  ["X#NodeArchitecture=Linux", "", {}],
  // What only a target declares.
  ["TargetAlias=x", "TargetAlias=Reject", {}],
  ["TargetPortalGroupTag=1", "TargetPortalGroupTag=Reject", {}],
  ["TargetAddress=192.0.2.1", "TargetAddress=Reject", {}],
  ["TargetPortalGroupTag=NotUnderstood", "", {}],
  // Obsolete keys (RFC 7143 13.25).
  ["IFMarker=No", "IFMarker=No", {}],
  ["OFMarker=Yes", "OFMarker=No", {}],
  ["OFMarker=2", "OFMarker=Reject", {}],
  ["IFMarkInt=2048~8192", "IFMarkInt=Reject", {}],
  ["OFMarkInt=2048", "OFMarkInt=Reject", {}],
  // Unknown keys.
  ["X-org.example.key=1", "X-org.example.key=NotUnderstood", {}],
  ["Unheard=1", "Unheard=NotUnderstood", {}],
  ["maxburstlength=512", "maxburstlength=NotUnderstood", {}],
  ["Unheard=NotUnderstood", "", {}],
  ["Unheard=Reject", "", {}],
  ["Unheard=Irrelevant", "", {}],
  // Discovery sessions carry no data.
  ["MaxBurstLength=512", "MaxBurstLength=Irrelevant", {}, { discovery: true }],
  ["InitialR2T=No", "InitialR2T=Irrelevant", {}, { discovery: true }],
  ["MaxConnections=2", "MaxConnections=Irrelevant", {}, { discovery: true }],
  ["TaskReporting=RFC3720", "TaskReporting=Irrelevant", {}, { discovery: true }],
  ["HeaderDigest=CRC32C", "HeaderDigest=CRC32C", { headerDigest: true }, { discovery: true }],
  ["DefaultTime2Wait=2", "DefaultTime2Wait=2", {}, { discovery: true }],
  // The session is there already.
  ["MaxBurstLength=512", "MaxBurstLength=Reject", {}, { leading: false }],
  ["HeaderDigest=CRC32C", "HeaderDigest=CRC32C", { headerDigest: true }, { leading: false }],
];

describe("Negotiation", () => {
  it.each(rows)("answers %s with %s", (proposal, answer, parameters, situation = {}) => {
    const negotiation = open(situation);
    expect(negotiate(negotiation, [proposal])).toEqual(answer === "" ? [] : [answer]);
    expect(negotiation.parameters()).toEqual({ ...defaultParameters(), ...parameters });
  });

  it.each([
    ["off", "None,CRC32C", "None"],
    ["off", "CRC32C", "Reject"],
    ["allowed", "None,CRC32C", "None"],
    ["allowed", "CRC32C,None", "CRC32C"],
    ["allowed", "CRC32C", "CRC32C"],
    ["preferred", "None,CRC32C", "CRC32C"],
    ["preferred", "None", "None"],
    ["required", "None,CRC32C", "CRC32C"],
    ["required", "None", "Reject"],
  ] as const)("with digests %s, %s makes %s", (headerDigest, list, answer) => {
    const negotiation = open({ offers: { headerDigest } });
    expect(negotiate(negotiation, [`HeaderDigest=${list}`])).toEqual([`HeaderDigest=${answer}`]);
  });

  it.each<[DigestOffer, string | null, boolean]>([
    ["required", "CRC32C", true],
    ["required", "None", false],
    ["required", null, false],
    ["preferred", null, true],
  ])("with data digests %s, after %s the login may end: %s", (dataDigest, list, may) => {
    const negotiation = open({ offers: { dataDigest } });
    if (list !== null) negotiate(negotiation, [`DataDigest=${list}`]);
    expect(negotiation.unmet() === null).toBe(may);
  });

  it("never answers a first burst longer than the burst, in whatever order they come", () => {
    const negotiation = open();
    expect(negotiate(negotiation, ["FirstBurstLength=65536", "MaxBurstLength=4096"])).toEqual([
      "MaxBurstLength=4096",
      "FirstBurstLength=4096",
    ]);
  });

  it("calls the first burst irrelevant where nothing is unsolicited", () => {
    const keys = ["FirstBurstLength=65536", "InitialR2T=Yes", "ImmediateData=No"];
    expect(negotiate(open(), keys)).toContain("FirstBurstLength=Irrelevant");
    expect(negotiate(open(), [...keys.slice(0, 2), "ImmediateData=Yes"])).toContain(
      "FirstBurstLength=65536",
    );
  });

  it("declares its own segment length, which counts only once it is declared", () => {
    const negotiation = open();
    expect(negotiation.parameters().targetMaxRecvDataSegmentLengthBytes).toBe(8192);
    expect(negotiation.declare()).toEqual([{ key: "MaxRecvDataSegmentLength", value: "262144" }]);
    expect(negotiation.parameters().targetMaxRecvDataSegmentLengthBytes).toBe(262_144);
  });
});

describe("Negotiation.check", () => {
  it("lets a key come once", () => {
    const negotiation = open();
    const pair = { key: "X-a", value: "1" };
    expect(negotiation.check(pair, "operational")).toBeNull();
    expect(negotiation.check(pair, "operational")).toEqual({
      why: "X-a is negotiated a second time",
    });
  });

  it("passes over what identifies the initiator, if it says the same again", () => {
    const negotiation = open();
    const pair = { key: "InitiatorAlias", value: "a" };
    expect(negotiation.check(pair, "security")).toBeNull();
    expect(negotiation.check(pair, "operational")).toBe("repeated");
    expect(negotiation.check({ ...pair, value: "b" }, "operational")).not.toBe("repeated");
  });

  it.each([
    ["security", "InitiatorName", true],
    ["security", "AuthMethod", true],
    ["security", "X-vendor", true],
    ["security", "MaxBurstLength", false],
    ["security", "MaxRecvDataSegmentLength", true],
    ["security", "SendTargets", false],
    ["operational", "AuthMethod", false],
    ["operational", "SendTargets", false],
    ["operational", "TargetName", true],
    ["operational", "OFMarkInt", true],
  ] as const)("in the %s stage, %s may come: %s", (stage, key, may) => {
    expect(open().check({ key, value: "" }, stage) === null).toBe(may);
  });
});
