import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import { opcodeOf } from "../../src/iscsi/pdu/basic-header.ts";
import type { ConnectOptions } from "../../src/initiator/connect.ts";
import {
  chapPolicy,
  InProcessTarget,
  INITIATOR_NAME,
  TARGET_NAME,
} from "../support/in-process-target.ts";
import { recordSession, replaySession, type RecordedSession } from "./support/recorded-session.ts";

const ISID = "80abcdef0001";
/** Small segments and bursts, so that a write of 4 KiB takes immediate, unsolicited and solicited data. */
const offers = {
  maxRecvDataSegmentLength: 512,
  maxBurstLength: 1024,
  firstBurstLength: 1024,
  maxOutstandingR2t: 2,
};
const chap = {
  user: "alice",
  secret: "secretsecret12",
  mutual: { user: "bob", secret: "another secret" },
};
const none = { header: "none", data: "none" } as const;
const both = { header: "required", data: "required" } as const;
const headerOnly = { header: "required", data: "none" } as const;

const variants: readonly (readonly [string, Partial<ConnectOptions>])[] = [
  ["with mutual CHAP and without digests", { chap, digests: none }],
  ["with CHAP and both digests", { chap: { user: chap.user, secret: chap.secret }, digests: both }],
  [
    "with header digests and solicited data only",
    {
      chap,
      digests: headerOnly,
      offers: { ...offers, initialR2t: true, immediateData: false },
    },
  ],
];

describe.each(variants)("a session %s", (_name, options) => {
  let target: InProcessTarget;
  let recorded: RecordedSession;

  beforeAll(async () => {
    target = await InProcessTarget.start({
      // The same challenge each time: the recorded answer to it stays right.
      randomBytes: (lengthBytes) => Buffer.alloc(lengthBytes, 0x5a),
      targets: [
        {
          settings: {
            authentication: chapPolicy(chap.user, chap.secret, chap.mutual),
            offers: { ...DEFAULT_OFFERS, maxRecvDataSegmentLengthBytes: 512 },
          },
        },
      ],
    });
    const identity = { initiatorName: INITIATOR_NAME, targetName: TARGET_NAME, isid: ISID };
    recorded = await recordSession(target, { offers, ...identity, ...options });
  });

  afterAll(async () => {
    await target.close();
  });

  it("has every PDU that an initiator may send", () => {
    const sent = recorded.events.flatMap((event) =>
      event.kind === "sent" ? [opcodeOf(event.bytes, 0)] : [],
    );
    expect([...new Set(sent)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("is answered the same when nothing is cut", async () => {
    await replaySession(target, recorded, (bytes) => [bytes]);
  });

  it("is answered the same when every PDU is cut in two, at every byte", async () => {
    const lengths = recorded.events.map((event) =>
      event.kind === "sent" ? event.bytes.length : 0,
    );
    const longest = Math.max(...lengths);
    expect(longest).toBeGreaterThan(500);
    for (let at = 1; at < longest; at += 1) {
      await replaySession(target, recorded, (bytes) =>
        at < bytes.length ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes],
      );
    }
  });

  it("is answered the same when it comes byte by byte", async () => {
    await replaySession(target, recorded, (bytes) =>
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
    );
  });

  it("leaves nothing behind", async () => {
    await target.idle();
    expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
  });
});
