import { afterEach, describe, expect, it } from "vitest";

import type { Command } from "../../src/initiator/command.ts";
import type { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { reportLuns } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import {
  LOGIN_TIMEOUT_MS,
  PING_COUNT,
  PING_INTERVAL_SECONDS,
  STAGED_BYTES_MAX,
  SWEEP_INTERVAL_MS,
} from "../../src/iscsi/limits.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../../src/scsi/task-management.ts";
import {
  eventually,
  InProcessTarget,
  TARGET_NAME,
  type InProcessOptions,
} from "../support/in-process-target.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HeldDevice } from "./support/held-device.ts";

const DISK_BYTES = 64 * 1024 * 1024;
const ISID = "400000000001";
const PING_INTERVAL_MS = PING_INTERVAL_SECONDS * 1000;

let target: InProcessTarget;
let device: HeldDevice;
let clock: ManualClock;

/** One target with a disk whose operations wait, under a clock that stands still. */
async function start(options: InProcessOptions = {}): Promise<void> {
  clock = new ManualClock();
  device = new HeldDevice(DISK_BYTES);
  target = await InProcessTarget.start({ clock, targets: [{ units: [{ device }] }], ...options });
}

/** Sees the server through to its end. */
async function shutdown(): Promise<void> {
  let ended = false;
  const ending = target.close().then(() => (ended = true));
  await eventually(() => {
    clock.advance(SWEEP_INTERVAL_MS);
    return ended;
  }, "the server ends");
  await ending;
}

afterEach(async () => {
  device.release();
  await shutdown();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

/** WRITE (10) of `count` blocks of 512 bytes. */
function write(count: number, lba = 0): Command {
  const cdb = Buffer.alloc(10);
  cdb.writeUInt8(0x2a, 0);
  cdb.writeUInt32BE(lba, 2);
  cdb.writeUInt16BE(count, 7);
  return { lun: 0, cdb, dataOut: Buffer.alloc(count * 512, 0x5a) };
}

const TEST_UNIT_READY: Command = { lun: 0, cdb: Buffer.alloc(6) };

/** A session that has taken its unit attention. */
async function connect(
  options: Parameters<InProcessTarget["connect"]>[0] = {},
): Promise<InitiatorSession> {
  const session = await target.connect(options);
  await session.execute(TEST_UNIT_READY);
  return session;
}

/** Starts a command, and keeps how it rejects for later. */
function begin(session: InitiatorSession, command: Command): Promise<InitiatorError | number> {
  return session.execute(command).then(
    ({ status }) => status,
    (error: InitiatorError) => error,
  );
}

/** Time for the other side, and for what should not happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function held(count: number): Promise<void> {
  await eventually(() => device.held.length >= count, `${count} operations wait`);
}

describe("a server with as many connections as it may have", () => {
  it("drops the oldest that has not logged in, and no one who has", async () => {
    await start({ limits: { connectionsMax: 2 } });
    const session = await connect();
    const idle = await target.open();
    const later = await connect();
    await eventually(() => idle.closed !== null, "the idle one is dropped");
    const refused = await target.open();
    await eventually(() => refused.closed !== null, "the last one is refused");
    expect((await session.execute(TEST_UNIT_READY)).status).toBe(0);
    expect((await later.execute(TEST_UNIT_READY)).status).toBe(0);
  });
});

describe("a server that hears nothing", () => {
  it("drops who does not log in", async () => {
    await start();
    const idle = await target.open();
    await eventually(() => target.server.statistics.connections === 1, "it is accepted");
    clock.advance(LOGIN_TIMEOUT_MS - SWEEP_INTERVAL_MS);
    expect(idle.closed).toBeNull();
    clock.advance(SWEEP_INTERVAL_MS);
    await eventually(() => idle.closed !== null, "it is dropped");
    expect(target.lines(/took too long/)).toHaveLength(1);
  });

  it("asks, and keeps who answers", async () => {
    await start();
    let pings = 0;
    const session = await connect({ events: { pinged: () => (pings += 1) } });
    for (let round = 1; round <= 5; round += 1) {
      clock.advance(PING_INTERVAL_MS);
      await eventually(() => pings === round, "it asks");
      // The answer has come when the next command, which follows it, is answered.
      expect((await session.execute(TEST_UNIT_READY)).status).toBe(0);
    }
    expect(session.closed).toBeNull();
  });

  it("drops who does not answer", async () => {
    await start();
    const session = await connect();
    session.connection.socket.pause();
    clock.advance(PING_INTERVAL_MS * (PING_COUNT + 1));
    await target.idle();
    expect(target.lines(/silent/)).toHaveLength(1);
    session.connection.socket.resume();
  });

  /** It was dropped as silent, while it was the server that did not read. */
  it("keeps an initiator that it does not listen to because the disk is slow", async () => {
    await start();
    const session = await connect();
    const parts = Array.from({ length: 400 }, (_, part) => begin(session, write(256, part * 256)));
    await held(STAGED_BYTES_MAX / (256 * 512));
    for (let round = 0; round < 10; round += 1) {
      clock.advance(PING_INTERVAL_MS);
      await turns();
    }
    expect(target.lines(/silent/)).toEqual([]);
    device.release();
    expect(new Set(await Promise.all(parts))).toEqual(new Set([0]));
  });
});

describe("session reinstatement", () => {
  it("waits until the old session's write has reached the disk", async () => {
    await start();
    const old = await connect({ isid: ISID });
    const lost = begin(old, write(8));
    await held(1);
    let opened = false;
    const opening = target.connect({ isid: ISID }).then((session) => {
      opened = true;
      return session;
    });
    await eventually(() => old.closed !== null, "the old connection is dropped");
    await turns();
    expect(opened).toBe(false);
    device.release();
    const session = await opening;
    expect(session.tsih).not.toBe(old.tsih);
    expect(target.server.statistics.sessions).toBe(1);
    expect(await lost).toBeInstanceOf(Error);
    await session.execute(TEST_UNIT_READY);
    expect((await session.execute(TEST_UNIT_READY)).status).toBe(0);
  });

  /** A session began on a target that was no longer there, after its removal was reported done. */
  it("ends with the target, when that is removed meanwhile", async () => {
    await start();
    const old = await connect({ isid: ISID });
    const lost = begin(old, write(8));
    await held(1);
    const opening = target.connect({ isid: ISID }).catch((error: unknown) => error);
    await eventually(() => old.closed !== null, "the old connection is dropped");
    const removing = target.server.removeTarget(TARGET_NAME);
    device.release();
    await removing;
    expect(await opening).toBeInstanceOf(Error);
    expect(await lost).toBeInstanceOf(Error);
    expect(target.server.statistics.sessions).toBe(0);
  });
});

describe("a portal that is closed", () => {
  it("takes no more connections, and leaves those that came", async () => {
    await start();
    const { server } = target;
    const second = await server.listen({
      address: "127.0.0.1",
      port: 0,
      group: 2,
      advertise: null,
    });
    const session = await target.connect({ port: second.port });
    expect(server.portals).toHaveLength(2);
    expect(await server.unlisten("127.0.0.1", second.port)).toBe(true);
    expect(await server.unlisten("127.0.0.1", second.port)).toBe(false);
    await expect(target.connect({ port: second.port })).rejects.toThrow();
    expect(await reportLuns(session)).toEqual([0]);
    await shutdown();
  });
});

describe("the removal of a target", () => {
  it("ends its sessions, and is done when nothing of theirs is running", async () => {
    await start();
    const session = await connect();
    const lost = begin(session, write(8));
    await held(1);
    let removed = false;
    const removing = target.server.removeTarget(TARGET_NAME).then(() => (removed = true));
    await target.idle();
    expect(removed).toBe(false);
    device.release();
    await removing;
    expect(await lost).toBeInstanceOf(Error);
    expect(target.server.statistics.sessions).toBe(0);
    await expect(target.connect()).rejects.toThrow();
    await target.server.removeTarget(TARGET_NAME);
  });

  it("asks its initiators to log out first, serves them until they do, and ends those who do not", async () => {
    await start();
    const asked: number[] = [];
    const events = {
      asyncMessage: ({ asyncEvent }: { asyncEvent: number }) => asked.push(asyncEvent),
    };
    const [polite, deaf] = [await connect({ events }), await connect({ events })];
    const elsewhere = await target.open();
    let removed = false;
    const removing = target.server.removeTarget(TARGET_NAME, 5000).then(() => (removed = true));
    await eventually(() => asked.length === 2, "they hear of it");
    await expect(target.connect()).rejects.toThrow();
    expect(await polite.logout()).toBe(0);
    await deaf.execute(TEST_UNIT_READY);
    expect((await deaf.execute(TEST_UNIT_READY)).status).toBe(0);
    clock.advance(4999);
    await turns();
    expect([removed, deaf.closed]).toEqual([false, null]);
    clock.advance(1);
    await removing;
    await eventually(() => deaf.closed !== null, "it is dropped");
    expect(elsewhere.closed).toBe(null);
  });

  it("is over as soon as all have logged out", async () => {
    await start();
    const session = await connect();
    const removing = target.server.removeTarget(TARGET_NAME, 5000);
    expect(await session.logout()).toBe(0);
    await removing;
  });
});

describe("the end of some sessions", () => {
  it("leaves the others, and whoever logs in meanwhile, alone", async () => {
    await start();
    const asked: number[] = [];
    const events = {
      asyncMessage: ({ asyncEvent }: { asyncEvent: number }) => asked.push(asyncEvent),
    };
    const [meant, other] = [await connect({ events, isid: ISID }), await connect({ events })];
    const mine = [...target.server.sessions].filter(({ isid }) => isid === ISID);
    expect(mine).toHaveLength(1);
    const ending = target.server.endSessions((one) => mine.includes(one), "a test", 5000);
    await eventually(() => asked.length === 1, "it hears of it");
    const later = await connect({ events });
    clock.advance(5000);
    await ending;
    await eventually(() => meant.closed !== null, "it is dropped");
    expect([other.closed, later.closed, asked.length]).toEqual([null, null, 1]);
  });
});

describe("task management", () => {
  /** Nothing limited functions: each one that waits for a stuck write was kept. */
  it("refuses functions beyond a number that wait, and answers the others", async () => {
    await start();
    const session = await connect();
    const lost = begin(session, write(8));
    await held(1);
    const functionCode = TaskManagementFunction.abortTaskSet;
    const answers: number[] = [];
    const all = Array.from({ length: 70 }, async () => {
      answers.push(await session.manage({ functionCode, lun: 0 }));
    });
    await eventually(() => answers.length === 6, "the last ones are refused");
    expect(new Set(answers)).toEqual(new Set([TaskManagementResponse.functionRejected]));
    device.release();
    await Promise.all(all);
    expect(answers.slice(6)).toEqual(
      Array.from({ length: 64 }, () => TaskManagementResponse.functionComplete),
    );
    session.destroy();
    await lost;
  });

  it("ends all sessions of a target that is reset cold", async () => {
    await start();
    const [first, second] = [await connect(), await connect()];
    const functionCode = TaskManagementFunction.targetColdReset;
    await first.manage({ functionCode, lun: 0 }).catch(() => undefined);
    await eventually(() => first.closed !== null && second.closed !== null, "both are dropped");
    const again = await connect();
    expect((await again.execute(TEST_UNIT_READY)).status).toBe(0);
  });

  /** The number of a command that was still to come was taken for received: it was never answered. */
  it("does not give up commands that come after an ABORT TASK", async () => {
    await start();
    const session = await connect();
    const response = await session.manage({
      functionCode: TaskManagementFunction.abortTask,
      lun: 0,
      referencedTaskTag: 0x7777,
      refCmdSn: session.numbers.take(true),
    });
    expect(response).toBe(TaskManagementResponse.taskDoesNotExist);
    expect((await session.execute(TEST_UNIT_READY)).status).toBe(0);
  });
});

describe("a connection that is lost", () => {
  /** One chunk of the send queue was lost with each: what one unit's end set free let another one write an R2T. */
  it("leaves nothing behind, whatever its writes were waiting for", async () => {
    const second = new HeldDevice(DISK_BYTES);
    await start({
      targets: [{ units: [{ device: new HeldDevice(DISK_BYTES) }, { device: second }] }],
    });
    const session = await connect();
    await session.execute({ ...TEST_UNIT_READY, lun: 1 });
    const { connection } = session;
    const lost: Promise<unknown>[] = [];
    // It reads no R2T, and so answers none.
    connection.socket.pause();
    for (let count = 0; count < 60; count += 1) {
      const lun = count < 40 ? 0 : 1;
      const command = {
        ...write(2048),
        lun,
        dataOut: Buffer.alloc(0),
        expectedOutBytes: 2048 * 512,
      };
      lost.push(begin(session, command));
    }
    const [served] = target.server.sessions;
    await eventually(() => served?.tasks.size === 60, "all have come");
    connection.destroy();
    await Promise.all(lost);
    await target.idle();
    await eventually(() => target.server.statistics.sessions === 0, "the session ends");
    expect(target.server.statistics.lentBytes).toBe(0);
  });
});

describe("shutdown", () => {
  it("asks initiators to log out, and ends those who do not", async () => {
    await start();
    const asked: number[] = [];
    const session = await connect({
      events: { asyncMessage: ({ asyncEvent }) => asked.push(asyncEvent) },
    });
    const idle = await target.open();
    let ended = false;
    const ending = target.server.shutdown(5000).then(() => (ended = true));
    await eventually(() => asked.length === 1 && idle.closed !== null, "they hear of it");
    expect(asked).toEqual([1]);
    await expect(target.open()).rejects.toThrow();
    clock.advance(4999);
    await turns();
    expect([ended, session.closed]).toEqual([false, null]);
    clock.advance(1);
    await ending;
    await eventually(() => session.closed !== null, "it is dropped");
    expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
  });

  it("is over as soon as all have logged out", async () => {
    await start();
    const session = await connect();
    const ending = target.server.shutdown(5000);
    expect(await session.logout()).toBe(0);
    await ending;
  });

  it("waits for a write that is running", async () => {
    await start();
    const session = await connect();
    const lost = begin(session, write(8));
    await held(1);
    let ended = false;
    const ending = target.server.shutdown(0).then(() => (ended = true));
    clock.advance(0);
    await eventually(() => session.closed !== null, "the session is dropped");
    expect(ended).toBe(false);
    device.release();
    await ending;
    expect(await lost).toBeInstanceOf(Error);
  });
});
