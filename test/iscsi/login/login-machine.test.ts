import { describe, expect, it } from "vitest";

import { AccessList, OPEN_ACCESS } from "../../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../../src/iscsi/auth/authentication-policy.ts";
import { LOGIN_LIMITS } from "../../../src/iscsi/login/limits.ts";
import { LoginStatus } from "../../../src/iscsi/login/login-status.ts";
import type { LoginReply, LoginRequest } from "../../../src/iscsi/login/login-types.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import type { IscsiTargetSettings } from "../../../src/iscsi/target.ts";
import {
  account,
  answers,
  DISCOVERY_IDENTITY,
  IDENTITY,
  INITIATOR_NAME,
  LoginBench,
  makeRequest,
  naiveChapResponse,
  policy,
  SECURITY_TO_FULL,
  statusOf,
  TARGET_NAME,
  text,
  TO_FULL,
  TO_OPERATIONAL,
} from "./login-harness.ts";

/** What Open-iSCSI proposes. */
const OPERATIONAL: readonly string[] = [
  "HeaderDigest=None,CRC32C",
  "DataDigest=None",
  "DefaultTime2Wait=2",
  "DefaultTime2Retain=0",
  "IFMarker=No",
  "OFMarker=No",
  "ErrorRecoveryLevel=0",
  "InitialR2T=No",
  "ImmediateData=Yes",
  "MaxBurstLength=16776192",
  "FirstBurstLength=262144",
  "MaxOutstandingR2T=1",
  "MaxConnections=1",
  "DataPDUInOrder=Yes",
  "DataSequenceInOrder=Yes",
  "MaxRecvDataSegmentLength=262144",
];

const CHAP: Partial<IscsiTargetSettings> = {
  authentication: policy({ incoming: [account("alice", "a secret of alice")] }),
};
const MUTUAL: Partial<IscsiTargetSettings> = {
  authentication: policy({
    incoming: [account("alice", "a secret of alice")],
    outgoing: account("disk", "a secret of the disk"),
  }),
};

function expectRefusal(reply: LoginReply, status: number): void {
  expect(statusOf(reply).toString(16)).toBe(status.toString(16));
  expect(reply.outcome).toBe("failed");
  expect(reply.transit).toBe(false);
  expect(reply.reason).not.toBe("");
}

describe("a login without authentication", () => {
  it("passes through both stages", () => {
    const bench = new LoginBench({ alias: "backup" });
    const first = bench.send([...IDENTITY, "AuthMethod=CHAP,None"], TO_OPERATIONAL);
    expect(first).toMatchObject({ transit: true, currentStage: 0, nextStage: 1, tsih: 0 });
    expect(first.outcome).toBe("continue");
    expect(answers(first.text)).toEqual({
      AuthMethod: "None",
      TargetPortalGroupTag: "1",
    });
    const last = bench.send(OPERATIONAL, TO_FULL);
    expect(last).toMatchObject({ transit: true, currentStage: 1, nextStage: 3, tsih: 7 });
    expect(last.outcome).toBe("full-feature");
    expect(answers(last.text)).toMatchObject({
      HeaderDigest: "None",
      InitialR2T: "No",
      MaxBurstLength: "16776192",
      MaxRecvDataSegmentLength: "262144",
      TargetAlias: "backup",
    });
    expect(bench.machine.result).toMatchObject({
      initiatorName: INITIATOR_NAME,
      initiatorAlias: null,
      sessionType: "normal",
      target: bench.target,
      tsih: 7,
      account: null,
      parameters: { initialR2t: false, maxBurstLengthBytes: 16_776_192 },
    });
  });

  it("may begin with the operational stage", () => {
    const bench = new LoginBench();
    const reply = bench.send([...IDENTITY, ...OPERATIONAL], TO_FULL);
    expect(reply.outcome).toBe("full-feature");
    expect(answers(reply.text)["TargetPortalGroupTag"]).toBe("1");
  });

  it("may leave out the operational stage, and then nobody was told of long segments", () => {
    const bench = new LoginBench();
    expect(bench.send(IDENTITY, SECURITY_TO_FULL).outcome).toBe("full-feature");
    expect(bench.machine.result?.parameters).toMatchObject({
      targetMaxRecvDataSegmentLengthBytes: 8192,
      initialR2t: true,
    });
  });

  it("may take several requests in a stage", () => {
    const bench = new LoginBench();
    bench.send(IDENTITY, { currentStage: 1 });
    const second = bench.send(["HeaderDigest=CRC32C"], { currentStage: 1 });
    expect(answers(second.text)).toEqual({ HeaderDigest: "CRC32C" });
    expect(bench.send([], TO_FULL).outcome).toBe("full-feature");
    expect(bench.machine.result?.parameters.headerDigest).toBe(true);
  });

  it("lets an initiator say again who it is, as libiscsi does on entering the next stage", () => {
    const bench = new LoginBench();
    bench.send([...IDENTITY, "AuthMethod=None"], TO_OPERATIONAL);
    expect(bench.send([...IDENTITY, ...OPERATIONAL], TO_FULL).outcome).toBe("full-feature");
  });

  it("opens discovery sessions, which have no portal group", () => {
    const bench = new LoginBench();
    const reply = bench.send([...DISCOVERY_IDENTITY, "MaxBurstLength=65536"], TO_FULL);
    expect(reply.outcome).toBe("full-feature");
    expect(answers(reply.text)).toEqual({
      MaxBurstLength: "Irrelevant",
      MaxRecvDataSegmentLength: "262144",
    });
    expect(bench.machine.result).toMatchObject({ sessionType: "discovery", target: null });
  });

  it("finds names in any case", () => {
    const bench = new LoginBench();
    expect(bench.machine.initiatorName).toBeNull();
    const items = ["InitiatorName=IQN.2001-01.X:A", `TargetName=${TARGET_NAME.toUpperCase()}`];
    expect(bench.send(items, TO_FULL).outcome).toBe("full-feature");
    expect(bench.machine.result?.initiatorName).toBe("iqn.2001-01.x:a");
    expect(bench.machine.initiatorName).toBe("iqn.2001-01.x:a");
  });
});

type Refused = [
  what: string,
  status: number,
  items: readonly string[],
  fields: Partial<LoginRequest>,
  settings?: Partial<IscsiTargetSettings>,
];

const nobody = new AccessList({ ...OPEN_ACCESS, addresses: ["198.51.100.1"] });
const moved = { address: "2001:db8::1", port: 3261, permanent: false };

const refusedAtOnce: readonly Refused[] = [
  ["no initiator name", LoginStatus.missingParameter, IDENTITY.slice(1), TO_FULL],
  ["no text at all", LoginStatus.missingParameter, [], TO_FULL],
  ["no target name", LoginStatus.missingParameter, IDENTITY.slice(0, 2), TO_FULL],
  [
    "a strange session type",
    LoginStatus.sessionTypeNotSupported,
    [...IDENTITY.slice(0, 1), "SessionType=Other"],
    TO_FULL,
  ],
  [
    "an initiator name that is none",
    LoginStatus.initiatorError,
    ["InitiatorName=a b", ...IDENTITY.slice(1)],
    TO_FULL,
  ],
  [
    "an unknown target",
    LoginStatus.notFound,
    [...IDENTITY.slice(0, 2), "TargetName=iqn.2026-01.org.example:other"],
    TO_FULL,
  ],
  [
    "a target of another portal group",
    LoginStatus.notFound,
    IDENTITY,
    TO_FULL,
    { portalGroupTags: [2] },
  ],
  [
    "an access list that forbids it",
    LoginStatus.authorizationFailure,
    IDENTITY,
    TO_FULL,
    { access: nobody },
  ],
  ["a target offline", LoginStatus.serviceUnavailable, IDENTITY, TO_FULL, { state: "offline" }],
  ["a higher version", LoginStatus.unsupportedVersion, IDENTITY, { ...TO_FULL, versionMin: 1 }],
  ["T with C", LoginStatus.initiatorError, IDENTITY, { ...TO_FULL, continued: true }],
  ["stage 2", LoginStatus.initiatorError, IDENTITY, { currentStage: 2 }],
  ["stage 3", LoginStatus.initiatorError, IDENTITY, { currentStage: 3 }],
  ["1 to 0", LoginStatus.initiatorError, IDENTITY, { ...TO_FULL, nextStage: 0 }],
  ["1 to 1", LoginStatus.initiatorError, IDENTITY, { ...TO_FULL, nextStage: 1 }],
  ["1 to 2", LoginStatus.initiatorError, IDENTITY, { ...TO_FULL, nextStage: 2 }],
  ["0 to 0", LoginStatus.initiatorError, IDENTITY, { ...TO_OPERATIONAL, nextStage: 0 }],
  ["0 to 2", LoginStatus.initiatorError, IDENTITY, { ...TO_OPERATIONAL, nextStage: 2 }],
  [
    "a key twice in a text",
    LoginStatus.initiatorError,
    [...IDENTITY, "ImmediateData=No", "ImmediateData=No"],
    TO_FULL,
  ],
  [
    "an operational key in the security stage",
    LoginStatus.initiatorError,
    [...IDENTITY, "ImmediateData=No"],
    TO_OPERATIONAL,
  ],
  ["SendTargets", LoginStatus.initiatorError, [...IDENTITY, "SendTargets=All"], TO_FULL],
  ["AuthMethod too late", LoginStatus.initiatorError, [...IDENTITY, "AuthMethod=None"], TO_FULL],
  [
    "a segment length that cannot be",
    LoginStatus.initiatorError,
    [...IDENTITY, "MaxRecvDataSegmentLength=0"],
    TO_FULL,
  ],
  [
    "digests that are required and not proposed",
    LoginStatus.initiatorError,
    IDENTITY,
    TO_FULL,
    { offers: { ...DEFAULT_OFFERS, headerDigest: "required" } },
  ],
  [
    "only CHAP where no account is",
    LoginStatus.authenticationFailure,
    [...IDENTITY, "AuthMethod=CHAP"],
    TO_OPERATIONAL,
  ],
  [
    "CHAP keys out of the blue",
    LoginStatus.authenticationFailure,
    [...IDENTITY, "CHAP_A=5"],
    TO_OPERATIONAL,
  ],
  [
    "CHAP keys before there is an answer to AuthMethod",
    LoginStatus.authenticationFailure,
    [...IDENTITY, "AuthMethod=CHAP", "CHAP_A=7"],
    TO_OPERATIONAL,
    CHAP,
  ],
  ["authentication skipped: 1 to 3", LoginStatus.authenticationFailure, IDENTITY, TO_FULL, CHAP],
  [
    "authentication skipped: 0 to 3",
    LoginStatus.authenticationFailure,
    IDENTITY,
    SECURITY_TO_FULL,
    CHAP,
  ],
  [
    "authentication skipped: 0 to 1",
    LoginStatus.authenticationFailure,
    IDENTITY,
    TO_OPERATIONAL,
    CHAP,
  ],
  [
    "authentication declined",
    LoginStatus.authenticationFailure,
    [...IDENTITY, "AuthMethod=None"],
    TO_OPERATIONAL,
    CHAP,
  ],
];

describe("a login is refused for", () => {
  it.each(refusedAtOnce)("%s", (_what, status, items, fields, settings = {}) => {
    const bench = new LoginBench(settings);
    expectRefusal(bench.send(items, fields), status);
    expect(bench.candidates).toEqual([]);
    expect(bench.machine.result).toBeNull();
    expectRefusal(bench.send(IDENTITY, TO_FULL), LoginStatus.invalidDuringLogin);
  });

  it.each([
    [{ isid: "00023d000002" }],
    [{ tsih: 1 }],
    [{ cid: 1 }],
    [{ initiatorTaskTag: 1 }],
    [{ currentStage: 0 }],
  ] as const)("a header that changes within it: %o", (change) => {
    const bench = new LoginBench();
    expect(bench.send(IDENTITY, { currentStage: 1 }).outcome).toBe("continue");
    expectRefusal(bench.send([], { ...TO_FULL, ...change }), LoginStatus.initiatorError);
  });

  it("a key that is negotiated again in a later request", () => {
    const bench = new LoginBench();
    bench.send([...IDENTITY, "ImmediateData=Yes"], { currentStage: 1 });
    expectRefusal(bench.send(["ImmediateData=Yes"], TO_FULL), LoginStatus.initiatorError);
  });

  it("an initiator that becomes another", () => {
    const bench = new LoginBench();
    bench.send(IDENTITY, TO_OPERATIONAL);
    const reply = bench.send(["InitiatorName=iqn.2001-01.org.example:other"], TO_FULL);
    expectRefusal(reply, LoginStatus.initiatorError);
  });

  it("too many requests", () => {
    const bench = new LoginBench();
    let replies = 0;
    while (bench.send(replies === 0 ? IDENTITY : []).outcome === "continue") replies++;
    expect(replies).toBe(LOGIN_LIMITS.requestsMax);
  });

  it("too much text, in whatever pieces", () => {
    for (const pieceBytes of [1000, 8192]) {
      const bench = new LoginBench();
      const piece = new Uint8Array(pieceBytes).fill(0x41);
      let sentBytes = 0;
      while (
        bench.machine.receive(makeRequest([], { continued: true, text: piece })).outcome ===
        "continue"
      ) {
        sentBytes += pieceBytes;
      }
      expect(sentBytes).toBeLessThanOrEqual(LOGIN_LIMITS.textBytesMax);
      expect(sentBytes).toBeGreaterThan(LOGIN_LIMITS.textBytesMax - 2 * pieceBytes);
    }
  });

  it("too much text, in whatever many texts", () => {
    const bench = new LoginBench();
    let sentBytes = bench.send(IDENTITY, { currentStage: 1 }).outcome === "continue" ? 0 : -1;
    for (let step = 0; sentBytes <= LOGIN_LIMITS.textBytesMax; step++) {
      const items = Array.from(
        { length: 8 },
        (_, index) => `X-${step}.${index}=${"v".repeat(250)}`,
      );
      const reply = bench.send(items, { currentStage: 1 });
      sentBytes += text(items).length;
      if (reply.outcome === "failed") break;
    }
    expect(sentBytes).toBeGreaterThan(LOGIN_LIMITS.textBytesMax - 4096);
    expect(sentBytes).toBeLessThan(LOGIN_LIMITS.textBytesMax + 4096);
    expectRefusal(bench.send([], TO_FULL), LoginStatus.invalidDuringLogin);
  });

  it("what the sessions of the target say", () => {
    const bench = new LoginBench();
    bench.admission = { ok: false, status: LoginStatus.sessionDoesNotExist, reason: "no 9" };
    expectRefusal(bench.send(IDENTITY, { ...TO_FULL, tsih: 9 }), LoginStatus.sessionDoesNotExist);
    expect(bench.candidates[0]).toMatchObject({ tsih: 9 });
    expect(bench.machine.result).toBeNull();
  });

  it("discovery that is off, or closed to the initiator", () => {
    const discovery = {
      enabled: true,
      access: new AccessList(),
      authentication: new AuthenticationPolicy(),
      offers: DEFAULT_OFFERS,
    };
    const off = new LoginBench({}, { discovery: { ...discovery, enabled: false } });
    expectRefusal(off.send(DISCOVERY_IDENTITY, TO_FULL), LoginStatus.sessionTypeNotSupported);
    const closed = new LoginBench({}, { discovery: { ...discovery, access: nobody } });
    expectRefusal(closed.send(DISCOVERY_IDENTITY, TO_FULL), LoginStatus.authorizationFailure);
  });

  it("any reason of the caller's", () => {
    const bench = new LoginBench();
    const reply = bench.machine.refuse(
      makeRequest([]),
      LoginStatus.serviceUnavailable,
      "the daemon stops",
    );
    expectRefusal(reply, LoginStatus.serviceUnavailable);
  });
});

describe("a redirect", () => {
  it("names the other address, for the time being or for good", () => {
    const reply = new LoginBench({ redirect: moved, state: "offline" }).send(IDENTITY, TO_FULL);
    expectRefusal(reply, LoginStatus.targetMovedTemporarily);
    expect(answers(reply.text)).toEqual({ TargetAddress: "[2001:db8::1]:3261" });
    const permanent = { address: "san.example", port: 3260, permanent: true };
    const other = new LoginBench({ redirect: permanent }).send(IDENTITY, TO_FULL);
    expectRefusal(other, LoginStatus.targetMovedPermanently);
    expect(answers(other.text)).toEqual({ TargetAddress: "san.example:3260" });
  });
});

/** Begins a login with CHAP and returns the target's challenge. */
function challenged(bench: LoginBench, algorithms: string): Record<string, string> {
  const method = bench.send([...IDENTITY, "AuthMethod=CHAP,None"], TO_OPERATIONAL);
  expect(method).toMatchObject({ outcome: "continue", transit: false });
  expect(answers(method.text)["AuthMethod"]).toBe("CHAP");
  return answers(bench.send([`CHAP_A=${algorithms}`], TO_OPERATIONAL).text);
}

function response(challenge: Record<string, string>, secret: string): string {
  const { CHAP_A = "", CHAP_I = "", CHAP_C = "" } = challenge;
  return naiveChapResponse(CHAP_A, CHAP_I, secret, CHAP_C);
}

describe("a login with CHAP", () => {
  it.each(["5", "6", "7", "8"])("succeeds with algorithm %s", (algorithm) => {
    const bench = new LoginBench(CHAP);
    const challenge = challenged(bench, algorithm);
    expect(challenge["CHAP_A"]).toBe(algorithm);
    const answer = `CHAP_R=${response(challenge, "a secret of alice")}`;
    const reply = bench.send(["CHAP_N=alice", answer], TO_OPERATIONAL);
    expect(reply).toMatchObject({ transit: true, nextStage: 1 });
    expect(bench.send(OPERATIONAL, TO_FULL).outcome).toBe("full-feature");
    expect(bench.machine.result?.account).toBe("alice");
  });

  it("proves the target to an initiator that asks", () => {
    const bench = new LoginBench(MUTUAL);
    const challenge = challenged(bench, "5,7");
    expect(challenge["CHAP_A"]).toBe("7");
    const answer = `CHAP_R=${response(challenge, "a secret of alice")}`;
    const mine = "0x00112233445566778899aabbccddeeff";
    const reply = bench.send(
      ["CHAP_N=alice", answer, "CHAP_I=9", `CHAP_C=${mine}`],
      SECURITY_TO_FULL,
    );
    expect(reply.outcome).toBe("full-feature");
    expect(answers(reply.text)).toEqual({
      CHAP_N: "disk",
      CHAP_R: naiveChapResponse("7", "9", "a secret of the disk", mine),
    });
  });

  it("does not leave the stage while CHAP is under way, whatever T says", () => {
    const bench = new LoginBench(CHAP);
    challenged(bench, "7");
    expect(bench.send([], TO_OPERATIONAL)).toMatchObject({ transit: false, outcome: "continue" });
    expect(bench.send([], SECURITY_TO_FULL).transit).toBe(false);
    expect(bench.candidates).toEqual([]);
  });

  it("ends with a wrong secret", () => {
    const bench = new LoginBench(CHAP);
    const answer = `CHAP_R=${response(challenged(bench, "7"), "another secret")}`;
    expectRefusal(
      bench.send(["CHAP_N=alice", answer], TO_OPERATIONAL),
      LoginStatus.authenticationFailure,
    );
  });

  it("tells a stranger nothing but the portal group", () => {
    const bench = new LoginBench({ ...CHAP, alias: "payroll" });
    const reply = bench.send([...IDENTITY, "AuthMethod=CHAP"], TO_OPERATIONAL);
    expect(answers(reply.text)).toEqual({ AuthMethod: "CHAP", TargetPortalGroupTag: "1" });
  });

  it("asks discovery for accounts of its own", () => {
    const discovery = {
      enabled: true,
      access: new AccessList(),
      authentication: policy({ incoming: [account("finder", "a secret of finder")] }),
      offers: DEFAULT_OFFERS,
    };
    const bench = new LoginBench({}, { discovery });
    expectRefusal(bench.send(DISCOVERY_IDENTITY, TO_FULL), LoginStatus.authenticationFailure);
    const other = new LoginBench({}, { discovery });
    other.send([...DISCOVERY_IDENTITY, "AuthMethod=CHAP"]);
    const challenge = answers(other.send(["CHAP_A=7"]).text);
    const answer = `CHAP_R=${response(challenge, "a secret of finder")}`;
    expect(other.send(["CHAP_N=finder", answer], SECURITY_TO_FULL).outcome).toBe("full-feature");
  });
});

describe("text in pieces", () => {
  it("may be cut at every byte", () => {
    const whole = text([...IDENTITY, ...OPERATIONAL]);
    const expected = new LoginBench().send([...IDENTITY, ...OPERATIONAL], TO_FULL);
    for (let cut = 0; cut <= whole.length; cut++) {
      const bench = new LoginBench();
      const first = bench.send([], {
        currentStage: 1,
        continued: true,
        text: whole.subarray(0, cut),
      });
      expect(first).toMatchObject({ outcome: "continue", transit: false, continued: false });
      expect(first.text).toHaveLength(0);
      const second = bench.send([], { ...TO_FULL, text: whole.subarray(cut) });
      expect(second).toEqual(expected);
    }
  });

  it("keeps a copy of a piece whose buffer is used again", () => {
    const bench = new LoginBench();
    const whole = text(IDENTITY);
    const buffer = Uint8Array.from(whole.subarray(0, 20));
    bench.send([], { currentStage: 1, continued: true, text: buffer });
    buffer.fill(0);
    expect(bench.send([], { ...TO_FULL, text: whole.subarray(20) }).outcome).toBe("full-feature");
  });

  it("is answered in pieces that empty requests fetch", () => {
    const expected = new LoginBench().send([...IDENTITY, ...OPERATIONAL], TO_FULL).text;
    for (const replyBytesMax of [7, 64, expected.length - 1]) {
      const bench = new LoginBench({}, { limits: { ...LOGIN_LIMITS, replyBytesMax } });
      let reply = bench.send([...IDENTITY, ...OPERATIONAL], TO_FULL);
      const pieces = [reply.text];
      while (reply.continued) {
        expect(reply).toMatchObject({ outcome: "continue", transit: false, nextStage: 0 });
        expect(reply.text).toHaveLength(replyBytesMax);
        reply = bench.send([], TO_FULL);
        pieces.push(reply.text);
      }
      expect(reply.outcome).toBe("full-feature");
      expect(Buffer.concat(pieces)).toEqual(Buffer.from(expected));
    }
  });

  it("does not go on before its answer was fetched", () => {
    const bench = new LoginBench({}, { limits: { ...LOGIN_LIMITS, replyBytesMax: 16 } });
    bench.send(IDENTITY, TO_FULL);
    expectRefusal(bench.send(["InitialR2T=No"], TO_FULL), LoginStatus.initiatorError);
  });
});
