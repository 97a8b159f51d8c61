import { describe, expect, it } from "vitest";
import { encodeBinary, valueOf, type TextPair } from "../../src/initiator/text-keys.ts";
import { LoginDialog, type LoginIntent } from "../../src/initiator/login-dialog.ts";
import { DEFAULT_OFFERS } from "../../src/initiator/parameters.ts";
import type { LoginResponseFields } from "../../src/iscsi/pdu/login.ts";

const intent: LoginIntent = {
  initiatorName: "iqn.i",
  targetName: "iqn.t",
  sessionType: "normal",
  offers: DEFAULT_OFFERS,
};
const chap = { user: "alice", secret: "sesame" };
const mutual = { ...chap, mutual: { user: "bob", secret: "another" } };
const fixed = (lengthBytes: number): Uint8Array => Buffer.alloc(lengthBytes, 0x31);

function response(changes: Partial<LoginResponseFields> = {}): LoginResponseFields {
  return {
    transit: false,
    continued: false,
    currentStage: 0,
    nextStage: 0,
    versionMax: 0,
    versionActive: 0,
    isid: "800000000000",
    tsih: 0,
    initiatorTaskTag: 0,
    statSn: 0,
    expCmdSn: 1,
    maxCmdSn: 1,
    statusClass: 0,
    statusDetail: 0,
    ...changes,
  };
}

const toOperational = response({ transit: true, nextStage: 1 });
const toFullFeature = response({ transit: true, currentStage: 1, nextStage: 3 });
const CHALLENGE: TextPair[] = [
  ["CHAP_A", "5"],
  ["CHAP_I", "1"],
  ["CHAP_C", "0x0102"],
];

describe("a login without authentication", () => {
  it("takes two requests", () => {
    const dialog = new LoginDialog(intent, fixed);
    const first = dialog.first();
    expect(first).toMatchObject({ stage: 0, nextStage: 1, transit: true });
    expect(first.pairs).toEqual([
      ["InitiatorName", "iqn.i"],
      ["TargetName", "iqn.t"],
      ["SessionType", "Normal"],
      ["AuthMethod", "None"],
    ]);
    const second = dialog.next(toOperational, [["AuthMethod", "None"]]);
    expect(second).toMatchObject({ stage: 1, nextStage: 3, transit: true });
    expect(dialog.next(toFullFeature, [["InitialR2T", "No"]])).toBeNull();
    expect(dialog.parameters.initialR2t).toBe(false);
  });

  it("names no target in a discovery session", () => {
    const { targetName: _, ...names } = intent;
    const dialog = new LoginDialog(
      { ...names, sessionType: "discovery", initiatorAlias: "me" },
      fixed,
    );
    const keys = dialog.first().pairs.map(([key]) => key);
    expect(keys).toEqual(["InitiatorName", "InitiatorAlias", "SessionType", "AuthMethod"]);
  });

  it("goes on until the target agrees to leave each stage", () => {
    const dialog = new LoginDialog(intent, fixed);
    dialog.first();
    expect(dialog.next(response(), [["AuthMethod", "None"]])).toMatchObject({
      stage: 0,
      transit: true,
    });
    expect(dialog.next(toOperational, [])).toMatchObject({ stage: 1 });
    const stay = response({ currentStage: 1, nextStage: 1 });
    const more = dialog.next(stay, [["X-what", "1"]]);
    expect(more).toMatchObject({ stage: 1, transit: true, pairs: [["X-what", "NotUnderstood"]] });
    expect(dialog.next(toFullFeature, [])).toBeNull();
  });

  it("ends where the target wants CHAP, or something else", () => {
    for (const method of ["CHAP", "KRB5"]) {
      const dialog = new LoginDialog(intent, fixed);
      dialog.first();
      expect(() => dialog.next(response(), [["AuthMethod", method]])).toThrow(/CHAP|KRB5/);
    }
  });

  it("ends with the target's status", () => {
    const dialog = new LoginDialog(intent, fixed);
    dialog.first();
    const refused = response({ statusClass: 2, statusDetail: 3 });
    expect(() => dialog.next(refused, [])).toThrow(
      expect.objectContaining({
        kind: "login",
        context: { statusClass: 2, statusDetail: 3 },
      }) as Error,
    );
    const moved = response({ statusClass: 1, statusDetail: 1 });
    expect(() => dialog.next(moved, [["TargetAddress", "h:1"]])).toThrow(
      expect.objectContaining({ kind: "redirect" }) as Error,
    );
    const wrong = response({ currentStage: 1 });
    expect(() => dialog.next(wrong, [])).toThrow(/another login stage/);
  });
});

describe("a login with CHAP", () => {
  it("takes four requests", () => {
    const dialog = new LoginDialog({ ...intent, chap }, fixed);
    expect(valueOf(dialog.first().pairs, "AuthMethod")).toBe("CHAP,None");
    const offer = dialog.next(response(), [["AuthMethod", "CHAP"]]);
    expect(offer).toMatchObject({ stage: 0, transit: false, pairs: [["CHAP_A", "8,7,6,5"]] });
    const proof = dialog.next(response(), CHALLENGE);
    expect(proof).toMatchObject({ stage: 0, transit: true });
    expect(proof?.pairs.map(([key]) => key)).toEqual(["CHAP_N", "CHAP_R"]);
    expect(dialog.next(toOperational, [])).toMatchObject({ stage: 1 });
    expect(dialog.next(toFullFeature, [])).toBeNull();
  });

  it("is not asked for by a target that has no accounts", () => {
    const dialog = new LoginDialog({ ...intent, chap }, fixed);
    dialog.first();
    expect(dialog.next(toOperational, [["AuthMethod", "None"]])).toMatchObject({ stage: 1 });
  });

  it("is insisted on where the target has to prove itself", () => {
    const dialog = new LoginDialog({ ...intent, chap: mutual }, fixed);
    expect(valueOf(dialog.first().pairs, "AuthMethod")).toBe("CHAP");
    expect(() => dialog.next(toOperational, [["AuthMethod", "None"]])).toThrow(/authenticate/);
    expect(() => dialog.next(toOperational, [])).toThrow(/authenticate/);
  });

  it("refuses a target that goes on without having proved itself", () => {
    const dialog = new LoginDialog({ ...intent, chap: mutual }, fixed);
    dialog.first();
    dialog.next(response(), [["AuthMethod", "CHAP"]]);
    dialog.next(response(), CHALLENGE);
    expect(() => dialog.next(toOperational, [])).toThrow(/did not authenticate/);
    const forged: TextPair[] = [
      ["CHAP_N", "bob"],
      ["CHAP_R", encodeBinary(Buffer.alloc(16))],
    ];
    expect(() => dialog.next(response(), forged)).toThrow(/name or secret/);
  });
});
