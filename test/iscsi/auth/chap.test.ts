import { describe, expect, it } from "vitest";

import type { AuthenticationRules } from "../../../src/iscsi/auth/authentication-policy.ts";
import { ChapTarget } from "../../../src/iscsi/auth/chap.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import { account, naiveChapResponse, policy } from "../login/login-harness.ts";

const SECRET = "a secret of alice";
const alice = account("alice", SECRET);
const disk = account("disk", "a secret of the disk");
const MINE = `0x${"5a".repeat(16)}`;

function open(rules: Partial<AuthenticationRules> = {}, seed = 1): ChapTarget {
  const random = new SeededRandom(seed);
  return new ChapTarget(policy({ incoming: [alice], ...rules }), (length) => random.bytes(length));
}

function send(chap: ChapTarget, keys: Readonly<Record<string, string>>): Record<string, string> {
  const step = chap.receive(new Map(Object.entries(keys)));
  if (!step.ok) return { refused: step.reason };
  return Object.fromEntries(step.pairs.map(({ key, value }) => [key, value]));
}

function answerTo(challenge: Record<string, string>, secret: string = SECRET): string {
  const { CHAP_A = "", CHAP_I = "", CHAP_C = "" } = challenge;
  return naiveChapResponse(CHAP_A, CHAP_I, secret, CHAP_C);
}

describe("the choice of an algorithm", () => {
  it.each<[string, AuthenticationRules["algorithms"], string]>([
    ["5", null, "5"],
    ["5,6,7,8", null, "8"],
    ["5,7", null, "7"],
    ["99,6,5", null, "6"],
    ["0x7", null, "7"],
    ["5,6,7,8", [5, 7], "7"],
    ["5,6", [7, 8], "refused"],
    ["5", [6, 7, 8], "refused"],
    ["4", null, "refused"],
    ["", null, "refused"],
    ["5,", null, "refused"],
    ["MD5", null, "refused"],
  ])("from %j, with %o switched on, is %s", (list, algorithms, chosen) => {
    const reply = send(open({ algorithms }), { CHAP_A: list });
    expect(reply["CHAP_A"] ?? (reply["refused"] === undefined ? "" : "refused")).toBe(chosen);
  });

  it("comes with a challenge of 32 bytes that is another each time", () => {
    const challenges = [1, 2, 3].map((seed) => send(open({}, seed), { CHAP_A: "7" }));
    for (const challenge of challenges) {
      expect(challenge["CHAP_C"]).toMatch(/^0x[0-9a-f]{64}$/);
      expect(Number(challenge["CHAP_I"])).toBeLessThan(256);
    }
    expect(new Set(challenges.map((challenge) => challenge["CHAP_C"])).size).toBe(3);
  });
});

describe("the proof of the initiator", () => {
  it.each(["5", "6", "7", "8"])("is accepted with algorithm %s, in any notation", (algorithm) => {
    for (const notation of ["lower", "upper", "0b", "0B"]) {
      const chap = open();
      const hex = answerTo(send(chap, { CHAP_A: algorithm }));
      let written = hex;
      if (notation === "upper") written = hex.toUpperCase();
      if (notation.startsWith("0")) {
        written = notation + Buffer.from(hex.slice(2), "hex").toString("base64");
      }
      expect(send(chap, { CHAP_N: "alice", CHAP_R: written })).toEqual({});
      expect(chap.user).toBe("alice");
    }
  });

  it.each<[string, (right: string) => Readonly<Record<string, string>>]>([
    ["another user", (right) => ({ CHAP_N: "bob", CHAP_R: right })],
    ["no user", (right) => ({ CHAP_R: right })],
    ["no response", () => ({ CHAP_N: "alice" })],
    [
      "a wrong bit",
      (right) => ({
        CHAP_N: "alice",
        CHAP_R: right.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      }),
    ],
    ["a byte less", (right) => ({ CHAP_N: "alice", CHAP_R: right.slice(0, -2) })],
    ["a byte more", (right) => ({ CHAP_N: "alice", CHAP_R: `${right}00` })],
    ["nothing", () => ({ CHAP_N: "alice", CHAP_R: "0x" })],
    ["no encoding", (right) => ({ CHAP_N: "alice", CHAP_R: right.slice(2) })],
    ["another list", (right) => ({ CHAP_N: "alice", CHAP_R: right, CHAP_A: "7" })],
    ["a list instead", () => ({ CHAP_A: "7" })],
  ])("is refused with %s, and so is every further attempt", (_what, keys) => {
    const chap = open();
    const right = answerTo(send(chap, { CHAP_A: "7" }));
    expect(send(chap, keys(right))).toHaveProperty("refused");
    expect(send(chap, { CHAP_N: "alice", CHAP_R: right })).toHaveProperty("refused");
    expect(chap.user).toBeNull();
  });

  it("is refused before there is a challenge", () => {
    expect(send(open(), { CHAP_N: "alice", CHAP_R: "0x00" })).toHaveProperty("refused");
    expect(send(open(), { CHAP_A: "7", CHAP_N: "alice" })).toHaveProperty("refused");
  });

  it("is refused after it was given", () => {
    const chap = open();
    const proof = { CHAP_N: "alice", CHAP_R: answerTo(send(chap, { CHAP_A: "7" })) };
    expect(send(chap, proof)).toEqual({});
    expect(send(chap, proof)).toHaveProperty("refused");
    expect(chap.user).toBe("alice");
  });

  it("is refused for an unknown user even to who guesses what it is compared with", () => {
    const chap = new ChapTarget(policy({ incoming: [alice] }), (length) => new Uint8Array(length));
    const challenge = send(chap, { CHAP_A: "7" });
    const CHAP_R = answerTo(challenge, "\0".repeat(32));
    expect(send(chap, { CHAP_N: "bob", CHAP_R })).toHaveProperty("refused");
    expect(chap.user).toBeNull();
  });

  it("gives the same reason for an unknown user and a wrong secret", () => {
    const reasons = ["alice", "bob"].map((user) => {
      const chap = open();
      const CHAP_R = answerTo(send(chap, { CHAP_A: "7" }), "a wrong secret");
      return send(chap, { CHAP_N: user, CHAP_R })["refused"];
    });
    expect(reasons[0]).toBe(reasons[1]);
  });
});

describe("mutual CHAP", () => {
  const prove = (rules: Partial<AuthenticationRules>, extra: Readonly<Record<string, string>>) => {
    const chap = open(rules);
    const challenge = send(chap, { CHAP_A: "7" });
    const own = extra["CHAP_C"] === "ours" ? { CHAP_C: challenge["CHAP_C"] ?? "" } : {};
    const reply = send(chap, { CHAP_N: "alice", CHAP_R: answerTo(challenge), ...extra, ...own });
    return { reply, user: chap.user };
  };

  it("answers a challenge of 1 to 1,024 bytes", () => {
    for (const bytes of [1, 16, 32, 1024]) {
      const CHAP_C = `0x${"a7".repeat(bytes)}`;
      const { reply, user } = prove({ outgoing: disk }, { CHAP_I: "255", CHAP_C });
      expect(reply).toEqual({
        CHAP_N: "disk",
        CHAP_R: naiveChapResponse("7", "255", "a secret of the disk", CHAP_C),
      });
      expect(user).toBe("alice");
    }
  });

  it.each<[string, Partial<AuthenticationRules>, Readonly<Record<string, string>>]>([
    ["our own challenge", { outgoing: disk }, { CHAP_I: "1", CHAP_C: "ours" }],
    ["an identifier only", { outgoing: disk }, { CHAP_I: "1" }],
    ["a challenge only", { outgoing: disk }, { CHAP_C: MINE }],
    ["an identifier past a byte", { outgoing: disk }, { CHAP_I: "256", CHAP_C: MINE }],
    ["an empty challenge", { outgoing: disk }, { CHAP_I: "1", CHAP_C: "0x" }],
    ["a challenge too long", { outgoing: disk }, { CHAP_I: "1", CHAP_C: `0x${"00".repeat(1025)}` }],
    ["no account for it", {}, { CHAP_I: "1", CHAP_C: MINE }],
    ["none where it is required", { outgoing: disk, mutual: "required" }, {}],
  ])("is refused with %s", (_what, rules, extra) => {
    const { reply, user } = prove(rules, extra);
    expect(reply).toHaveProperty("refused");
    expect(user).toBeNull();
  });

  it("may be left out where it is not required", () => {
    expect(prove({ outgoing: disk }, {})).toEqual({ reply: {}, user: "alice" });
  });
});
