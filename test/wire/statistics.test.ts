import { afterEach, describe, expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { framePdu } from "../../src/initiator/connection.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { LoginStatus } from "../../src/iscsi/login/login-status.ts";
import { OperationClass } from "../../src/scsi/operation-class.ts";
import type { OperationCounts, UnitStatistics } from "../../src/scsi/unit-statistics.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { HeldDevice } from "../iscsi/support/held-device.ts";
import {
  DISK_BYTES,
  eventually,
  INITIATOR_NAME,
  type InProcessOptions,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawSession, WRITE_FLAGS } from "./support/raw-session.ts";

const TEST_UNIT_READY = { lun: 0, cdb: newCdb(6, 0x00) };
const COMMANDS = 600;
/** At a time: many share a turn, and some come in the middle of one. */
const DEPTH = 24;

let target: InProcessTarget;

async function start(options: InProcessOptions = {}): Promise<InProcessTarget> {
  target = await InProcessTarget.start(options);
  return target;
}

afterEach(async () => {
  await target.close();
});

/** Of LUN 0, over all sessions. */
function unitStatistics(): UnitStatistics {
  const device = target.server.targets.get(TARGET_NAME)?.device;
  if (device === undefined) throw new Error("there is no target");
  return device.statistics.ofUnit(0);
}

function zeroCounts(): Record<keyof OperationCounts, number> {
  return {
    submitted: 0,
    submittedBytes: 0,
    answered: 0,
    answeredBytes: 0,
    movedBytes: 0,
    errors: 0,
    aborted: 0,
  };
}

function latencyCount(statistics: UnitStatistics, operation: OperationClass): number {
  return statistics.latencies.counts(operation).reduce((sum, count) => sum + count, 0);
}

/** What the initiator did, counted as it should be counted. */
class Ledger {
  readonly byClass: Record<keyof OperationCounts, number>[];

  constructor() {
    this.byClass = Object.values(OperationClass).map(() => zeroCounts());
  }

  async run(
    session: InitiatorSession,
    operation: OperationClass,
    command: Parameters<InitiatorSession["execute"]>[0],
  ): Promise<void> {
    const counts = this.byClass[operation];
    if (counts === undefined) throw new Error("no such class");
    const expectedBytes = (command.expectedInBytes ?? 0) + (command.dataOut?.length ?? 0);
    const result = await session.execute(command);
    counts.submitted += 1;
    counts.submittedBytes += expectedBytes;
    counts.answered += 1;
    counts.answeredBytes += expectedBytes;
    if (result.status === 0) {
      counts.movedBytes += (command.dataOut?.length ?? 0) + result.dataIn.length;
    } else counts.errors += 1;
  }
}

function randomCommand(
  random: SeededRandom,
): readonly [OperationClass, Parameters<InitiatorSession["execute"]>[0]] {
  const blocks = 1 + random.below(64);
  const lba = random.below(DISK_BYTES / 512 - 64);
  const lun = 0;
  switch (random.below(7)) {
    case 0:
    case 1: {
      const command = { lun, cdb: cdb16(0x88, lba, blocks), expectedInBytes: blocks * 512 };
      return [OperationClass.read, command];
    }
    case 2:
    case 3:
      return [
        OperationClass.write,
        { lun, cdb: cdb16(0x8a, lba, blocks), dataOut: new Uint8Array(blocks * 512) },
      ];
    case 4:
      return [OperationClass.flush, { lun, cdb: cdb16(0x91, 0, 0) }];
    case 5: {
      // Beyond the end: an error.
      const command = { lun, cdb: cdb16(0x88, 2 ** 40, blocks), expectedInBytes: blocks * 512 };
      return [OperationClass.read, command];
    }
    default:
      return [OperationClass.other, TEST_UNIT_READY];
  }
}

describe("what is counted of commands", () => {
  it("is what two initiators did, to the byte, also after they have gone", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    await start();
    const ledger = new Ledger();
    const sessions = [await target.connect(), await target.connect()];
    for (let left = COMMANDS; left > 0; left -= DEPTH) {
      const batch = Array.from({ length: Math.min(left, DEPTH) }, (_, index) => {
        const session = sessions[index % 2];
        if (session === undefined) throw new Error("no session");
        const [operation, command] = randomCommand(random);
        return ledger.run(session, operation, command);
      });
      await Promise.all(batch);
    }
    for (const when of ["logged in", "gone"]) {
      const statistics = unitStatistics();
      for (const [name, operation] of Object.entries(OperationClass)) {
        const what = `${name}, ${when}, seed ${seed}`;
        expect(statistics.counts(operation), what).toEqual(ledger.byClass[operation]);
        const answered = ledger.byClass[operation]?.answered;
        expect(latencyCount(statistics, operation), what).toBe(answered);
      }
      for (const session of sessions) session.destroy();
      await target.idle();
    }
    const [totals, ...rest] =
      target.server.targets.get(TARGET_NAME)?.device.statistics.totals() ?? [];
    expect(totals).toMatchObject({ lun: 0, initiator: INITIATOR_NAME });
    expect(rest).toEqual([]);
  });

  it("tells what is at work and what was aborted from what was answered", async () => {
    const device = new HeldDevice(DISK_BYTES);
    await start({ targets: [{ units: [{ device }] }] });
    const session = await target.connect();
    await session.execute(TEST_UNIT_READY);
    const reading = session.execute({ lun: 0, cdb: cdb16(0x88, 0, 8), expectedInBytes: 4096 });
    reading.catch(() => undefined);
    await eventually(() => device.held.length === 1, "the read waits");
    const atWork = { ...zeroCounts(), submitted: 1, submittedBytes: 4096 };
    expect(unitStatistics().counts(OperationClass.read)).toEqual(atWork);
    session.destroy();
    await eventually(() => target.server.statistics.connections === 0, "the connection is gone");
    device.release();
    await target.idle();
    const { read } = OperationClass;
    await eventually(() => unitStatistics().counts(read).aborted === 1, "the read is aborted");
    expect(unitStatistics().counts(read)).toEqual({ ...atWork, aborted: 1 });
    expect(latencyCount(unitStatistics(), read)).toBe(0);
  });

  it("takes a command for aborted whose answer waits for data that nobody sends any more", async () => {
    await start();
    const session = await RawSession.open(target, { offers: { initialR2t: false } });
    const cdb = cdb16(0x8a, 2 ** 40, 128);
    const expectedBytes = 128 * 512;
    session.command({ tag: 1, cdb, cmdSn: session.cmdSn++, flags: WRITE_FLAGS, expectedBytes });
    const { write } = OperationClass;
    await eventually(() => unitStatistics().counts(write).submitted === 1, "the write is there");
    expect(unitStatistics().counts(write)).toMatchObject({ answered: 0, aborted: 0 });
    session.connection.destroy();
    await target.idle();
    expect(unitStatistics().counts(write)).toMatchObject({ answered: 0, aborted: 1, errors: 0 });
  });

  it("measures from when a command came to when its answer left", async () => {
    const clock = new ManualClock();
    const device = new HeldDevice(DISK_BYTES);
    await start({
      clock,
      targets: [{ units: [{ device }, { device: new MemoryDevice(DISK_BYTES) }] }],
    });
    const session = await target.connect();
    const read = { cdb: cdb16(0x88, 0, 8), expectedInBytes: 4096 };
    await session.execute({ ...TEST_UNIT_READY, lun: 1 });
    await session.execute({ lun: 1, ...read });
    await session.execute(TEST_UNIT_READY);
    const reading = session.execute({ lun: 0, ...read });
    await eventually(() => device.held.length === 1, "the read waits");
    clock.advance(7);
    device.release();
    await reading;
    const [nexus] = [...target.server.sessions].map((one) => one.nexus.statistics);
    const held = nexus?.peek(0)?.latencies;
    expect(held?.sumMs(OperationClass.read)).toBe(7);
    expect(held?.sumMs(OperationClass.other)).toBe(0);
    expect(nexus?.peek(1)?.latencies.sumMs(OperationClass.read)).toBe(0);
    expect(nexus?.peek(1)?.latencies.counts(OperationClass.read)[0]).toBe(1);
  });
});

describe("what is counted of connections", () => {
  it("is every octet and every PDU, as the initiator sees them", async () => {
    await start();
    let sent = 0;
    let received = 0;
    const observer = {
      sent: (bytes: Uint8Array): void => {
        sent += bytes.length;
      },
      received: ({ header, data }: { header: Uint8Array; data: Uint8Array }): void => {
        received += header.length + Math.ceil(data.length / 4) * 4;
      },
    };
    const session = await target.connect({ observer });
    await session.execute(TEST_UNIT_READY);
    await session.execute({ lun: 0, cdb: cdb16(0x88, 0, 8), expectedInBytes: 4096 });
    const dataOut = new Uint8Array(512 * 1024);
    const { readyToTransferPdus } = await session.execute({
      lun: 0,
      cdb: cdb16(0x8a, 0, 1024),
      dataOut,
    });
    expect(readyToTransferPdus).toBeGreaterThan(0);
    const [only] = target.server.sessions;
    expect(only).toMatchObject({ sid: 1, initiatorName: INITIATOR_NAME });
    const { connections } = target.server.totals;
    expect(connections).toMatchObject({ commands: 3, dataIns: 1, responses: 2, rejects: 0 });
    expect(connections.dataOuts).toBeGreaterThan(0);
    expect(connections.receivedOctets).toBe(sent);
    expect(connections.sentOctets).toBe(received);
    session.destroy();
    await target.idle();
    expect(target.server.totals.connections.receivedOctets).toBe(sent);
    await target.connect();
    const [next] = target.server.sessions;
    expect(next?.sid).toBe(2);
  });

  it("is the digests that were wrong", async () => {
    await start();
    const damage = async (at: number): Promise<void> => {
      const digests = { header: "required", data: "required" } as const;
      const session = await target.connect({ digests });
      const { connection } = session;
      connection.send = (header: Uint8Array, data?: Uint8Array, additional?: Uint8Array): void => {
        Reflect.deleteProperty(connection, "send");
        const nothing = new Uint8Array(0);
        const frame = framePdu(header, additional ?? nothing, data ?? nothing, connection.digests);
        frame[at] = (frame[at] ?? 0) ^ 0x10;
        connection.sendBytes(frame);
      };
      const write = { lun: 0, cdb: cdb16(0x8a, 0, 1), dataOut: new Uint8Array(512) };
      await expect(session.execute(write)).rejects.toThrow();
      await target.idle();
    };
    await damage(20);
    const { totals } = target.server;
    expect(totals.connections).toMatchObject({ headerDigestErrors: 1, dataDigestErrors: 0 });
    await damage(60);
    expect(totals.connections).toMatchObject({ headerDigestErrors: 1, dataDigestErrors: 1 });
    expect(totals.protocolErrors).toBe(2);
  });

  it("is every login, and why it was refused", async () => {
    await start();
    await target.connect();
    await target.connect({ sessionType: "discovery" });
    const elsewhere = { targetName: "iqn.2026-11.net.example:none" };
    await expect(target.connect(elsewhere)).rejects.toThrow();
    await expect(target.connect(elsewhere)).rejects.toThrow();
    const { totals } = target.server;
    expect(totals).toMatchObject({ normalLogins: 1, discoveryLogins: 1, connectionsAccepted: 4 });
    expect([...totals.refusedLogins]).toEqual([[LoginStatus.notFound, 2]]);
  });
});
