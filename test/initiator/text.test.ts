import { describe, expect, it } from "vitest";
import { addressText, parseAddress } from "../../src/initiator/address.ts";
import { parseSendTargets } from "../../src/initiator/discovery.ts";
import { parseIscsiUrl } from "../../src/initiator/iscsi-url.ts";
import { loginStatusText } from "../../src/initiator/login-status.ts";
import {
  answersToProposals,
  applyAnswers,
  DEFAULT_OFFERS,
  defaultParameters,
  offerPairs,
} from "../../src/initiator/parameters.ts";
import {
  decodeBinary,
  decodeText,
  encodeBinary,
  encodeText,
  valueOf,
  type TextPair,
} from "../../src/initiator/text-keys.ts";

describe("addresses of portals", () => {
  it.each([
    ["host", "host", 3260],
    ["10.0.0.1:860", "10.0.0.1", 860],
    ["10.0.0.1:860,17", "10.0.0.1", 860],
    ["[2001:db8::1]:3261", "2001:db8::1", 3261],
    ["[2001:db8::1],3", "2001:db8::1", 3260],
    ["2001:db8::1", "2001:db8::1", 3260],
  ])("reads %s", (text, address, port) => {
    expect(parseAddress(text)).toEqual({ address, port });
    expect(parseAddress(addressText({ address, port }))).toEqual({ address, port });
  });

  it.each(["", ":3260", "host:0", "host:65536", "host:x", "[::1", "a b", "1:2:3"])(
    "refuses %j",
    (text) => {
      expect(() => parseAddress(text)).toThrow(/not an address/);
    },
  );
});

describe("iSCSI URLs", () => {
  it("have a portal, a target and a LUN, and perhaps a user and a secret", () => {
    expect(parseIscsiUrl("iscsi://host/iqn.2026-11.net.example:d/5")).toEqual({
      portal: { address: "host", port: 3260 },
      user: undefined,
      secret: undefined,
      targetName: "iqn.2026-11.net.example:d",
      lun: 5,
    });
    const full = parseIscsiUrl("iscsi://alice%secret12@[::1]:99/iqn.x:y/0");
    expect(full).toMatchObject({ user: "alice", secret: "secret12", portal: { port: 99 } });
    expect(full.portal.address).toBe("::1");
  });

  it.each([
    "http://host/t/1",
    "iscsi://host/t",
    "iscsi://host/t/x",
    "iscsi://host/t/99999",
    "x%topsecret@",
  ])("refuses %s without repeating it", (text) => {
    expect(() => parseIscsiUrl(text)).toThrow(/not an iSCSI URL; write/);
    expect(() => parseIscsiUrl(text)).not.toThrow(/topsecret/);
  });
});

describe("text keys", () => {
  it("come back as they went", () => {
    const pairs: TextPair[] = [
      ["A", "1"],
      ["B", "x=y"],
      ["C", ""],
    ];
    expect(encodeText(pairs).toString()).toBe("A=1\0B=x=y\0C=\0");
    expect(decodeText(encodeText(pairs))).toEqual(pairs);
    expect(decodeText(Buffer.from("A=1\0\0\0"))).toEqual([["A", "1"]]);
    expect(valueOf(pairs, "B")).toBe("x=y");
    expect(valueOf(pairs, "Z")).toBeUndefined();
  });

  it("are refused without a key, and twice", () => {
    expect(() => decodeText(Buffer.from("=1\0"))).toThrow(/without a key/);
    expect(() => decodeText(Buffer.from("abc\0"))).toThrow(/without a key/);
    const twice: TextPair[] = [
      ["A", "1"],
      ["A", "2"],
    ];
    expect(() => valueOf(twice, "A")).toThrow(/A twice/);
  });

  it.each([
    ["0xdeadBEEF", "deadbeef"],
    ["0Xabc", "0abc"],
    ["0b3q2+7w==", "deadbeef"],
    ["0x", ""],
  ])("reads the binary value %s", (text, hex) => {
    expect(decodeBinary(text)?.toString("hex")).toBe(hex);
  });

  it("knows what is no binary value, and writes its own", () => {
    for (const text of ["", "12", "0xgg", "0b*", "x0"]) expect(decodeBinary(text)).toBeUndefined();
    expect(encodeBinary(Uint8Array.of(1, 255))).toBe("0x01ff");
  });
});

describe("SendTargets", () => {
  it("gives targets with the portals that follow each", () => {
    const targets = parseSendTargets([
      ["TargetName", "a"],
      ["TargetAddress", "10.0.0.1:3260,1"],
      ["TargetAddress", "[::1]:3260,2"],
      ["TargetName", "b"],
    ]);
    expect(targets).toEqual([
      {
        name: "a",
        portals: [
          { address: "10.0.0.1", port: 3260, portalGroupTag: 1 },
          { address: "::1", port: 3260, portalGroupTag: 2 },
        ],
      },
      { name: "b", portals: [] },
    ]);
    expect(() => parseSendTargets([["TargetAddress", "x"]])).toThrow(/before a name/);
  });
});

describe("the status of a login", () => {
  it("is told in words, with its number", () => {
    expect(loginStatusText(2, 1)).toMatch(/authentication failed.*0201h/);
    expect(loginStatusText(3, 1)).toMatch(/not available.*0301h/);
    expect(loginStatusText(9, 9)).toMatch(/0909h/);
  });
});

describe("what a session agrees on", () => {
  const offers = { ...DEFAULT_OFFERS, headerDigest: "preferred" } as const;

  it("is the RFC's defaults where the target says nothing", () => {
    expect(defaultParameters(offers)).toMatchObject({
      targetMaxRecvDataSegmentLength: 8192,
      initialR2t: true,
      immediateData: true,
      maxBurstLength: 262_144,
      firstBurstLength: 65_536,
      maxOutstandingR2t: 1,
    });
  });

  it("takes the target's answers", () => {
    const parameters = defaultParameters(offers);
    const answers: TextPair[] = [
      ["HeaderDigest", "CRC32C"],
      ["DataDigest", "None"],
      ["InitialR2T", "No"],
      ["ImmediateData", "Yes"],
      ["MaxRecvDataSegmentLength", "65536"],
      ["MaxBurstLength", "0x10000"],
      ["FirstBurstLength", "Irrelevant"],
      ["MaxOutstandingR2T", "4"],
      ["TargetAlias", "a disk"],
      ["X-com.example", "what"],
    ];
    applyAnswers(parameters, answers, offers);
    expect(parameters).toMatchObject({
      headerDigest: true,
      dataDigest: false,
      initialR2t: false,
      targetMaxRecvDataSegmentLength: 65_536,
      maxBurstLength: 65_536,
      firstBurstLength: 65_536,
      maxOutstandingR2t: 4,
      targetAlias: "a disk",
    });
  });

  it.each([
    ["MaxBurstLength", "99999999"],
    ["MaxBurstLength", "1"],
    ["MaxBurstLength", "many"],
    ["MaxOutstandingR2T", "9"],
    ["ErrorRecoveryLevel", "1"],
    ["InitialR2T", "Perhaps"],
    ["DataDigest", "CRC32C"],
    ["DataDigest", "MD5"],
  ])("refuses %s=%s, which was not on offer", (key, value) => {
    const pairs: TextPair[] = [[key, value]];
    expect(() => applyAnswers(defaultParameters(offers), pairs, offers)).toThrow(`${key}=${value}`);
  });

  it("insists on digests that are required", () => {
    const required = { ...offers, dataDigest: "required" } as const;
    for (const value of ["None", "Reject"]) {
      expect(() =>
        applyAnswers(defaultParameters(required), [["DataDigest", value]], required),
      ).toThrow(/does not do DataDigest/);
    }
  });

  it("offers nothing of SCSI in a discovery session, and no first burst beyond the burst", () => {
    const keys = offerPairs(offers, true).map(([key]) => key);
    expect(keys).toContain("MaxRecvDataSegmentLength");
    expect(keys).not.toContain("InitialR2T");
    const small = { ...offers, maxBurstLength: 4096, firstBurstLength: 8192 };
    expect(valueOf(offerPairs(small, false), "FirstBurstLength")).toBe("4096");
  });

  it("answers proposals that it does not know", () => {
    const proposals: TextPair[] = [
      ["X-thing", "1"],
      ["HeaderDigest", "None"],
      ["TargetAlias", "x"],
      ["Y-thing", "NotUnderstood"],
    ];
    expect(answersToProposals(proposals, [["HeaderDigest", "None"]])).toEqual([
      ["X-thing", "NotUnderstood"],
    ]);
  });
});
