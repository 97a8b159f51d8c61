import { afterEach, describe, expect, it } from "vitest";
import { discover, sendTargets } from "../../src/initiator/discovery.ts";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { newCdb } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { AsyncEvent } from "../../src/iscsi/pdu/async-message.ts";
import { decodeNop } from "../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import {
  chapPolicy,
  eventually,
  INITIATOR_NAME,
  InProcessTarget,
  TARGET_NAME,
  type InProcessOptions,
} from "../support/in-process-target.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawSession, TEST_UNIT_READY } from "./support/raw-session.ts";

const NO_LUN = [0, 0, 0, 0, 0, 0, 0, 0];

let target: InProcessTarget;
afterEach(async () => {
  await target.close();
});

async function start(options: InProcessOptions = {}): Promise<void> {
  target = await InProcessTarget.start(options);
}

/** The login status as "class/detail", or the kind of error where there is none. */
async function refusal(login: Promise<unknown>): Promise<string> {
  const error: unknown = await login.catch((reason: unknown) => reason);
  if (!(error instanceof InitiatorError)) return "logged in";
  const { statusClass, statusDetail } = error.context;
  if (statusClass === undefined || statusDetail === undefined) return error.kind;
  return `${statusClass}/${statusDetail}`;
}

async function ready(session: InitiatorSession): Promise<boolean> {
  await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
  return (await session.execute({ lun: 0, cdb: newCdb(6, 0x00) })).status === 0;
}

describe("login", () => {
  it("answers each reason to refuse with its own status", async () => {
    await start({
      targets: [
        {},
        {
          name: "iqn.2026-11.net.example:locked",
          settings: { authentication: chapPolicy("alice", "secretsecret12") },
        },
        { name: "iqn.2026-11.net.example:offline", settings: { state: "offline" } },
        { name: "iqn.2026-11.net.example:full", settings: { maxSessions: 1 } },
      ],
    });
    const to = (name: string): { targetName: string } => ({
      targetName: `iqn.2026-11.net.example:${name}`,
    });
    const chap = (secret: string, user = "alice"): { chap: { user: string; secret: string } } => ({
      chap: { user, secret },
    });
    expect(await refusal(target.connect(to("nowhere")))).toBe("2/3");
    expect(await refusal(target.connect(to("locked")))).toBe("2/1");
    expect(await refusal(target.connect({ ...to("locked"), ...chap("wrong secret 12") }))).toBe(
      "2/1",
    );
    const mallory = chap("secretsecret12", "mallory");
    expect(await refusal(target.connect({ ...to("locked"), ...mallory }))).toBe("2/1");
    expect(await refusal(target.connect({ ...to("locked"), ...chap("secretsecret12") }))).toBe(
      "logged in",
    );
    expect(await refusal(target.connect(to("offline")))).toMatch(/^3\/[12]$/);
    expect(await refusal(target.connect(to("full")))).toBe("logged in");
    expect(await refusal(target.connect(to("full")))).toBe("3/2");
    expect(await refusal(target.connect({ tsih: 4711 }))).toBe("2/10");
  });

  it("is sent on to where the target is now", async () => {
    await start();
    const elsewhere = await InProcessTarget.start({
      targets: [
        { settings: { redirect: { address: "127.0.0.1", port: target.port, permanent: false } } },
      ],
    });
    try {
      expect(await refusal(elsewhere.connect({ followRedirects: false }))).toBe("1/1");
      const session = await elsewhere.connect();
      expect(await ready(session)).toBe(true);
      expect(target.server.statistics.sessions).toBe(1);
      expect(elsewhere.server.statistics.sessions).toBe(0);
    } finally {
      await elsewhere.close();
    }
  });

  it("does not follow redirections in a circle for ever", async () => {
    await start();
    const redirect = { address: "127.0.0.1", port: target.port, permanent: true };
    target.server.targets.get(TARGET_NAME)?.configure({ redirect });
    expect(await refusal(target.connect())).toBe("1/2");
  });
});

describe("sessions", () => {
  it("of several ISIDs are independent", async () => {
    await start();
    const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => target.connect()));
    expect(target.server.statistics.sessions).toBe(5);
    expect(new Set(sessions.map(({ tsih }) => tsih)).size).toBe(5);
    for (const session of sessions) expect(await ready(session)).toBe(true);
    await sessions[0]?.logout();
    await eventually(() => target.server.statistics.sessions === 4, "one session is gone");
    for (const session of sessions.slice(1)) expect(await ready(session)).toBe(true);
  });

  it("of the same ISID is reinstated: the old one ends, RFC 7143 6.3.5", async () => {
    await start();
    let ended = false;
    const isid = "800000000001";
    const events = { closed: (): void => void (ended = true) };
    const first = await target.connect({ isid, events });
    expect(await ready(first)).toBe(true);
    const second = await target.connect({ isid });
    await eventually(() => ended, "the first session ended");
    expect(await ready(second)).toBe(true);
    expect(target.server.statistics.sessions).toBe(1);
  });

  it("of the same TSIH and CID is continued on a new connection, RFC 7143 6.3.4", async () => {
    await start();
    let ended = false;
    const isid = "800000000002";
    const events = { closed: (): void => void (ended = true) };
    const first = await target.connect({ isid, cid: 7, events });
    const second = await target.connect({ isid, cid: 7, tsih: first.tsih });
    await eventually(() => ended, "the first connection ended");
    expect(second.tsih).toBe(first.tsih);
    expect(await ready(second)).toBe(true);
    expect(await refusal(target.connect({ isid, cid: 8, tsih: first.tsih }))).toBe("2/6");
    expect(await ready(second)).toBe(true);
  });

  it.each([
    ["the session", 0, 0, 0, true],
    ["its connection", 1, 0, 0, true],
    ["a connection that does not exist", 1, 99, 1, false],
    ["for recovery, which level 0 does not have", 2, 0, 2, false],
  ])("logs out of %s", async (_name, reason, cid, response, ends) => {
    await start();
    const session = await target.connect();
    expect(await session.logout(reason, cid)).toBe(response);
    expect(session.closed !== null).toBe(ends);
    if (ends) await target.idle();
    expect(target.server.statistics.sessions).toBe(ends ? 0 : 1);
  });

  it("answers what is running before the logout", async () => {
    await start();
    const session = await RawSession.open(target);
    for (let tag = 1; tag <= 5; tag += 1) session.read(tag, 8);
    session.pdu(Opcode.logoutRequest, () => undefined);
    for (let tag = 1; tag <= 5; tag += 1) await session.expect(Opcode.dataIn, tag);
    await session.expect(Opcode.logoutResponse);
    await session.expectClosed();
  });
});

describe("discovery", () => {
  it("shows a long list over several answers, and closes orderly", async () => {
    const names = Array.from(
      { length: 400 },
      (_, index) => `iqn.2026-11.net.example:disk-${index}`,
    );
    await start({ targets: names.map((name) => ({ name, units: [] })) });
    const portal = { address: "127.0.0.1", port: target.port, initiatorName: INITIATOR_NAME };
    const targets = await discover({ ...portal, offers: { maxRecvDataSegmentLength: 512 } });
    expect(targets.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { portals } of targets) {
      expect(portals).toEqual([{ address: "127.0.0.1", port: target.port, portalGroupTag: 1 }]);
    }
    await target.idle();
  });

  it("has no commands and no task management", async () => {
    await start();
    const session = await RawSession.open(target, { sessionType: "discovery" });
    session.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
    await session.expectReject(RejectReason.protocolError);
    session.pdu(Opcode.taskManagementRequest | 0x40, (header) => {
      header[1] = 0x85;
    });
    await session.expectReject(RejectReason.protocolError);
    await session.expectAlive();
  });

  it("of one target works in its own session, of others not", async () => {
    await start({ targets: [{}, { name: "iqn.2026-11.net.example:other" }] });
    const session = await target.connect();
    expect((await sendTargets(session, "")).map(({ name }) => name)).toEqual([TARGET_NAME]);
    const all = await sendTargets(session, "All").catch(() => []);
    expect(all.map(({ name }) => name)).not.toContain("iqn.2026-11.net.example:other");
  });

  it("asks for its own account", async () => {
    await start({ discovery: { authentication: chapPolicy("scout", "scouts secret") } });
    const portal = { address: "127.0.0.1", port: target.port, initiatorName: INITIATOR_NAME };
    expect(await refusal(discover(portal))).toBe("2/1");
    const chap = { user: "scout", secret: "scouts secret" };
    expect((await discover({ ...portal, chap })).map(({ name }) => name)).toEqual([TARGET_NAME]);
    expect(await ready(await target.connect())).toBe(true);
  });
});

describe("a peer that falls silent", () => {
  it("is asked, and dropped when it does not answer; one that answers stays", async () => {
    const clock = new ManualClock();
    await start({ clock, limits: { pings: { intervalSeconds: 10, count: 1 } } });
    let pings = 0;
    const lively = await target.connect({ events: { pinged: () => void (pings += 1) } });
    const dead = await RawSession.open(target);
    clock.advance(11_000);
    const ping = await dead.expect(Opcode.nopIn);
    expect(Buffer.from(ping.header.subarray(20, 24)).toString("hex")).not.toBe("ffffffff");
    await eventually(() => pings === 1, "the ping came");
    // The answer of the lively one has to arrive before more time passes.
    await lively.ping();
    clock.advance(9_000);
    expect(target.server.statistics.sessions).toBe(2);
    await lively.ping();
    clock.advance(12_000);
    await dead.expectClosed();
    await eventually(() => target.server.statistics.sessions === 1, "the dead one is dropped");
    expect(await ready(lively)).toBe(true);
    expect(target.lines(/silent/)).not.toEqual([]);
  });

  it("is asked as often as its target says, and each question has a tag of its own", async () => {
    const clock = new ManualClock();
    const pings = { intervalSeconds: 5, count: 3 };
    await start({ clock, targets: [{ settings: { pings } }] });
    const dead = await RawSession.open(target);
    const tags: number[] = [];
    for (let asked = 1; asked <= 3; asked += 1) {
      clock.advance(5000);
      const { header, data } = await dead.expect(Opcode.nopIn);
      const { initiatorTaskTag, targetTransferTag, lun } = decodeNop(header, 0);
      expect([initiatorTaskTag, [...lun], data.length]).toEqual([RESERVED_TAG, NO_LUN, 0]);
      tags.push(targetTransferTag);
    }
    expect(new Set([...tags, RESERVED_TAG]).size).toBe(4);
    expect(target.server.statistics.sessions).toBe(1);
    clock.advance(5000);
    await dead.expectClosed();
    await eventually(() => target.server.statistics.sessions === 0, "it is dropped");
  });

  it("keeps to what its target said when it logged in; who logs in later is asked anew", async () => {
    const clock = new ManualClock();
    await start({ clock, targets: [{ settings: { pings: { intervalSeconds: 0 } } }] });
    const silent = await RawSession.open(target);
    target.server.targets.get(TARGET_NAME)?.configure({ pings: { intervalSeconds: 2, count: 1 } });
    const asked = await RawSession.open(target);
    clock.advance(2000);
    await asked.expect(Opcode.nopIn);
    clock.advance(100_000);
    await asked.expectClosed();
    await silent.expectAlive();
  });

  it("is not asked while it works: whoever speaks lives", async () => {
    const clock = new ManualClock();
    await start({ clock, targets: [{ settings: { pings: { intervalSeconds: 3, count: 1 } } }] });
    const session = await RawSession.open(target);
    for (let second = 1; second <= 10; second += 1) {
      clock.advance(1000);
      await session.expectAlive();
    }
  });

  it("is dropped when it never logs in", async () => {
    const clock = new ManualClock();
    await start({ clock, limits: { loginTimeoutMs: 5000 } });
    const connection = await target.open();
    await eventually(() => target.server.statistics.connections === 1, "it is accepted");
    clock.advance(4000);
    expect(target.server.statistics.connections).toBe(1);
    clock.advance(2000);
    await target.idle();
    expect(connection.closed).not.toBeNull();
  });
});

describe("shutdown", () => {
  it("asks the initiators to log out, and waits for those who do", async () => {
    await start();
    const messages: number[] = [];
    const session: InitiatorSession = await target.connect({
      events: {
        asyncMessage: ({ asyncEvent }) => {
          messages.push(asyncEvent);
          void session.logout();
        },
      },
    });
    expect(await ready(session)).toBe(true);
    // Longer than any test may take: it ends because the initiator leaves, not because time is over.
    await target.server.shutdown(1_000_000);
    expect(messages).toEqual([AsyncEvent.logoutRequested]);
    expect(target.server.statistics).toMatchObject({ connections: 0, sessions: 0 });
    expect(await refusal(target.connect())).toBe("connect");
  });

  it("drops those who stay, when the time is over", async () => {
    const clock = new ManualClock();
    await start({ clock });
    const session = await RawSession.open(target);
    const stopped = target.server.shutdown(5000);
    const message = await session.expect(Opcode.asyncMessage);
    expect(message.header[36]).toBe(AsyncEvent.logoutRequested);
    expect(Buffer.from(message.header).readUInt16BE(42)).toBe(5);
    clock.advance(6000);
    await stopped;
    await session.expectClosed();
  });
});
