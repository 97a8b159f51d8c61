import { describe, expect, it } from "vitest";

import { LOGIN_LIMITS } from "../../../src/iscsi/login/limits.ts";
import type { LoginReply, LoginRequest } from "../../../src/iscsi/login/login-types.ts";
import { decodeTextPairs } from "../../../src/iscsi/text/text-pairs.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import {
  account,
  answers,
  IDENTITY,
  LoginBench,
  makeRequest,
  naiveChapResponse,
  policy,
  text,
} from "./login-harness.ts";

const SECRET = "a secret of alice";
const ITEMS: readonly string[] = [
  ...IDENTITY,
  "SessionType=Discovery",
  "AuthMethod=CHAP,None",
  "AuthMethod=None",
  "CHAP_A=5,7",
  "CHAP_N=alice",
  "CHAP_R=0x00",
  "CHAP_I=1",
  "CHAP_C=0x0011",
  "HeaderDigest=CRC32C,None",
  "MaxRecvDataSegmentLength=65536",
  "MaxBurstLength=512",
  "FirstBurstLength=65536",
  "ImmediateData=Yes",
  "InitialR2T=No",
  "X-vendor=1",
  "SendTargets=All",
  "ErrorRecoveryLevel=2",
];

/** A peer that mostly does the right next thing, and sometimes anything else. */
class WildInitiator {
  readonly #random: SeededRandom;
  #stage: number;
  #challenge: Record<string, string> = {};
  #method = "";
  #step = 0;
  /** Whether a right answer to the latest challenge was among what it sent. */
  proved = false;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#stage = random.chance(0.8) ? 0 : 1;
  }

  next(): LoginRequest {
    const random = this.#random;
    const items = this.#items();
    let bytes = Buffer.from(text(items));
    if (random.chance(0.05)) bytes = this.#mutated(bytes);
    const nextStage = this.#stage === 0 && random.chance(0.7) ? 1 : 3;
    return makeRequest([], {
      text: bytes,
      currentStage: random.chance(0.03) ? random.below(4) : this.#stage,
      nextStage: random.chance(0.03) ? random.below(4) : nextStage,
      transit: random.chance(0.7),
      continued: random.chance(0.05),
      ...(random.chance(0.01) ? { tsih: random.below(3), isid: "000000000000" } : {}),
      ...(random.chance(0.01) ? { versionMin: random.below(256) } : {}),
    });
  }

  see(reply: LoginReply): void {
    const said = answers(reply.text);
    if (said["AuthMethod"] !== undefined) this.#method = said["AuthMethod"];
    if (said["CHAP_C"] !== undefined) this.#challenge = said;
    if (reply.transit) this.#stage = reply.nextStage;
    this.#step++;
  }

  #items(): string[] {
    const random = this.#random;
    const items: string[] = this.#step === 0 ? [...IDENTITY] : [];
    const { CHAP_A, CHAP_I = "", CHAP_C = "" } = this.#challenge;
    if (this.#stage === 0 && random.chance(0.9)) {
      if (this.#step === 0) items.push("AuthMethod=CHAP,None");
      else if (CHAP_A !== undefined) items.push(...this.#proof(CHAP_A, CHAP_I, CHAP_C));
      else if (this.#method === "CHAP") items.push("CHAP_A=5,7");
    }
    if (random.chance(0.2)) items.push(random.pick(ITEMS));
    if (random.chance(0.05)) items.splice(random.below(items.length + 1), 1);
    return items;
  }

  #proof(algorithm: string, identifier: string, challenge: string): string[] {
    const right = this.#random.chance(0.5);
    this.proved ||= right;
    const secret = right ? SECRET : "a wrong secret";
    const response = naiveChapResponse(algorithm, identifier, secret, challenge);
    return ["CHAP_N=alice", `CHAP_R=${response}`];
  }

  #mutated(bytes: Buffer): Buffer<ArrayBuffer> {
    const random = this.#random;
    const copy = Buffer.from(bytes);
    if (copy.length === 0) return random.bytes(random.below(64)) as Buffer<ArrayBuffer>;
    copy[random.below(copy.length)] = random.below(256);
    return random.chance(0.5) ? copy : copy.subarray(0, random.below(copy.length));
  }
}

/** Runs one login to its end, checks every reply, and returns how it ended. */
function run(bench: LoginBench, peer: WildInitiator): "full-feature" | "failed" {
  for (let requests = 0; requests <= LOGIN_LIMITS.requestsMax; requests++) {
    const request = peer.next();
    const reply = bench.machine.receive(request);
    expect(reply.text.length).toBeLessThanOrEqual(LOGIN_LIMITS.replyBytesMax);
    expect(reply.transit && !request.transit).toBe(false);
    expect(reply.transit && reply.continued).toBe(false);
    expect(reply.outcome === "failed").toBe(reply.statusClass !== 0);
    if (!reply.continued) expect(decodeTextPairs(reply.text).ok).toBe(true);
    if (reply.outcome !== "continue") return reply.outcome;
    peer.see(reply);
  }
  throw new Error("the login did not end");
}

describe("a login with a wild initiator", () => {
  const seed = chooseSeed(process.env);
  const authentication = policy({ incoming: [account("alice", SECRET)] });

  it(`ends, is bounded, and needs the secret where it is asked for (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    const ends = { "full-feature": 0, failed: 0 };
    for (let round = 0; round < 3000; round++) {
      const peer = new WildInitiator(random);
      const bench = new LoginBench({ authentication });
      const end = run(bench, peer);
      ends[end]++;
      // Discovery is open to all on this bench: only the target asks for the secret.
      if (bench.machine.result?.sessionType !== "normal") continue;
      expect(peer.proved).toBe(true);
      expect(bench.machine.result.account).toBe("alice");
    }
    // The peer is wild, but neither hopeless nor harmless.
    expect(ends["full-feature"]).toBeGreaterThan(100);
    expect(ends.failed).toBeGreaterThan(100);
  });

  it(`survives headers and texts of noise (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 2000; round++) {
      const bench = new LoginBench({ authentication });
      for (let step = 0; step < 4; step++) {
        const reply = bench.machine.receive(
          makeRequest([], {
            text: random.bytes(random.below(100)),
            transit: random.chance(0.5),
            continued: random.chance(0.5),
            currentStage: random.below(4),
            nextStage: random.below(4),
          }),
        );
        expect(reply.outcome).not.toBe("full-feature");
      }
      expect(bench.candidates).toEqual([]);
    }
  });
});
