import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DelayFilter } from "../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { encodeLun } from "../../src/initiator/command.ts";
import { cdb16 } from "../../src/initiator/scsi.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import {
  encodeTaskManagementRequest,
  TaskManagementFunctionCode as Function,
  TaskManagementResponseCode as Response,
} from "../../src/iscsi/pdu/task-management.ts";
import { DISK_BYTES, eventually, InProcessTarget } from "../support/in-process-target.ts";
import { RawSession, READ_FLAGS, senseOf, TEST_UNIT_READY } from "./support/raw-session.ts";

/** Requests of the slow disk that wait for the test to let them go. */
let held: (() => void)[] = [];
let target: InProcessTarget;

beforeEach(async () => {
  held = [];
  const slow = new DelayFilter(
    new MemoryDevice(DISK_BYTES),
    50,
    (callback) => void held.push(callback),
  );
  target = await InProcessTarget.start({
    targets: [{ units: [{ device: new MemoryDevice(DISK_BYTES) }, { device: slow }] }],
  });
});

afterEach(async () => {
  release();
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

function release(): void {
  for (const callback of held.splice(0)) callback();
}

const SOLICITED = { offers: { initialR2t: true, immediateData: false } };
const FUNCTION_TAG = 0x0f0f_0f0f;

function sendFunction(
  session: RawSession,
  functionCode: number,
  lun: number,
  referencedTaskTag: number = RESERVED_TAG,
  refCmdSn = 0,
): void {
  const header = new Uint8Array(48);
  encodeTaskManagementRequest(header, 0, {
    immediate: true,
    functionCode,
    lun: encodeLun(lun),
    initiatorTaskTag: FUNCTION_TAG,
    referencedTaskTag,
    cmdSn: session.cmdSn,
    expStatSn: 0,
    refCmdSn,
  });
  session.connection.send(header);
}

/** Sends a function and gives back its response code, which is in the next PDU. */
async function manage(...parameters: Parameters<typeof sendFunction>): Promise<number> {
  const [session] = parameters;
  sendFunction(...parameters);
  const pdu = await session.expect(Opcode.taskManagementResponse, FUNCTION_TAG);
  return pdu.header[2] ?? -1;
}

describe("ABORT TASK", () => {
  it("ends a command that waits for its data; what still comes of them is dropped", async () => {
    const session = await RawSession.open(target, SOLICITED);
    session.write(1, 8);
    const r2t = await session.expectR2t(1);
    expect(await manage(session, Function.abortTask, 0, 1, session.cmdSn - 1)).toBe(
      Response.functionComplete,
    );
    const place = { dataSn: 0, bufferOffset: 0, final: true };
    session.dataOut(1, r2t.targetTransferTag, place, Buffer.alloc(4096, 1));
    await session.expectAlive();
    session.read(1, 8);
    const read = await session.expect(Opcode.dataIn, 1);
    expect(Buffer.compare(read.data, Buffer.alloc(4096))).toBe(0);
  });

  it("says so when there is no such command, or no such logical unit", async () => {
    const session = await RawSession.open(target);
    expect(await manage(session, Function.abortTask, 0, 4711, session.cmdSn - 1)).toBe(
      Response.taskDoesNotExist,
    );
    expect(await manage(session, Function.logicalUnitReset, 77)).toBe(Response.lunDoesNotExist);
    expect(await manage(session, Function.clearAca, 0)).not.toBe(Response.functionComplete);
  });

  it("waits for I/O that is running, and sends no answer of the command", async () => {
    const session = await RawSession.open(target);
    const fields = { cdb: cdb16(0x88, 0, 8), lun: 1, flags: READ_FLAGS, expectedBytes: 4096 };
    session.command({ tag: 1, cmdSn: session.cmdSn++, cdb: TEST_UNIT_READY, lun: 1 });
    await session.expectResponse(1, 2);
    session.command({ tag: 2, cmdSn: session.cmdSn++, ...fields });
    await eventually(() => held.length === 1, "the read runs");
    const response = manage(session, Function.abortTask, 1, 2, session.cmdSn - 1);
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect(await response).toBe(Response.functionComplete);
    await session.expectAlive();
  });

  it("counts a command that has not come yet as received", async () => {
    const session = await RawSession.open(target);
    const missing = session.cmdSn++;
    session.command({ tag: 2, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
    sendFunction(session, Function.abortTask, 0, 1, missing);
    // The command that waited behind it may be answered first.
    const pdus = [await session.receive(), await session.receive()];
    const opcodes = pdus
      .map(({ header }) => header[0] ?? 0)
      .toSorted((left, right) => left - right);
    expect(opcodes).toEqual([Opcode.scsiResponse, Opcode.taskManagementResponse]);
    for (const pdu of pdus) expect([pdu.header[2], pdu.header[3]]).toEqual([0, 0]);
    session.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: missing });
    await session.expectAlive();
  });
});

describe("functions on many tasks", () => {
  it("ABORT TASK SET ends those of its own nexus on that unit, and no others", async () => {
    const one = await RawSession.open(target, SOLICITED);
    const other = await RawSession.open(target, SOLICITED);
    one.write(1, 1);
    one.write(2, 1);
    const first = await one.expectR2t(1);
    await one.expectR2t(2);
    other.write(3, 1);
    const kept = await other.expectR2t(3);
    expect(await manage(one, Function.abortTaskSet, 0)).toBe(Response.functionComplete);
    const place = { dataSn: 0, bufferOffset: 0, final: true };
    one.dataOut(1, first.targetTransferTag, place, Buffer.alloc(512));
    await one.expectAlive();
    other.dataOut(3, kept.targetTransferTag, place, Buffer.alloc(512));
    await other.expectResponse(3, 0);
  });

  it("CLEAR TASK SET ends those of all, who learn it from a unit attention", async () => {
    const one = await RawSession.open(target, SOLICITED);
    const other = await RawSession.open(target, SOLICITED);
    other.write(3, 1);
    await other.expectR2t(3);
    expect(await manage(one, Function.clearTaskSet, 0)).toBe(Response.functionComplete);
    other.command({ tag: 4, cdb: TEST_UNIT_READY, cmdSn: other.cmdSn++ });
    expect(senseOf(await other.expectResponse(4, 2))).toBe("6/2f/00");
    one.command({ tag: 5, cdb: TEST_UNIT_READY, cmdSn: one.cmdSn++ });
    await one.expectResponse(5, 0);
  });

  it("LOGICAL UNIT RESET ends all on that unit, and tells every nexus", async () => {
    const one = await RawSession.open(target, SOLICITED);
    const other = await RawSession.open(target, SOLICITED);
    one.write(1, 1);
    await one.expectR2t(1);
    other.write(3, 1);
    await other.expectR2t(3);
    expect(await manage(one, Function.logicalUnitReset, 0)).toBe(Response.functionComplete);
    for (const session of [one, other]) {
      session.command({ tag: 9, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
      expect(senseOf(await session.expectResponse(9, 2))).toMatch(/^6\/29\//);
      session.command({ tag: 10, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
      await session.expectResponse(10, 0);
    }
  });

  it("TARGET WARM RESET resets every unit, TARGET COLD RESET ends the sessions too", async () => {
    const one = await RawSession.open(target);
    const other = await RawSession.open(target);
    expect(await manage(one, Function.targetWarmReset, 0)).toBe(Response.functionComplete);
    for (const lun of [0, 1]) {
      other.command({ tag: 9 + lun, cdb: TEST_UNIT_READY, cmdSn: other.cmdSn++, lun });
      expect(senseOf(await other.expectResponse(9 + lun, 2))).toMatch(/^6\/29\//);
    }
    expect(await manage(one, Function.targetColdReset, 0)).toBe(Response.functionComplete);
    await one.expectClosed();
    await other.expectClosed();
    await target.idle();
  });
});

describe("sessions that vanish", () => {
  it("leave nothing behind, whatever they were doing", async () => {
    const session = await RawSession.open(target, SOLICITED);
    session.write(1, 8);
    await session.expectR2t(1);
    const slow = { lun: 1, flags: READ_FLAGS, expectedBytes: 4096 };
    session.command({ tag: 2, cmdSn: session.cmdSn++, cdb: TEST_UNIT_READY, lun: 1 });
    await session.expectResponse(2, 2);
    session.command({ tag: 3, cmdSn: session.cmdSn++, cdb: cdb16(0x88, 0, 8), ...slow });
    await eventually(() => held.length === 1, "the read runs");
    session.connection.destroy();
    await target.idle();
    release();
    await eventually(() => target.server.statistics.lentBytes === 0, "all buffers are back");
  });

  it("hand over to their successor only when their I/O has ended", async () => {
    const isid = "800000000009";
    const session = await RawSession.open(target, { isid });
    session.command({ tag: 2, cmdSn: session.cmdSn++, cdb: TEST_UNIT_READY, lun: 1 });
    await session.expectResponse(2, 2);
    const write = { lun: 1, flags: 0xa1, expectedBytes: 512, data: Buffer.alloc(512, 1) };
    session.command({ tag: 3, cmdSn: session.cmdSn++, cdb: cdb16(0x8a, 0, 1), ...write });
    await eventually(() => held.length === 1, "the write runs");
    let loggedIn = false;
    const successor = RawSession.open(target, { isid }).then(() => (loggedIn = true));
    await session.expectClosed();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(loggedIn).toBe(false);
    release();
    expect(await successor).toBe(true);
  });
});

describe("a slow logical unit", () => {
  it("does not hold up another one", async () => {
    const session = await RawSession.open(target);
    session.command({ tag: 1, cmdSn: session.cmdSn++, cdb: TEST_UNIT_READY, lun: 1 });
    await session.expectResponse(1, 2);
    const slow = { cdb: cdb16(0x88, 0, 8), lun: 1, flags: READ_FLAGS, expectedBytes: 4096 };
    for (let tag = 100; tag < 132; tag += 1) {
      session.command({ tag, cmdSn: session.cmdSn++, ...slow });
    }
    await eventually(() => held.length > 0, "the slow reads run");
    // 500 commands of the fast unit complete, one after the other, while not one of the slow ones may.
    for (let tag = 1000; tag < 1500; tag += 1) {
      session.read(tag, 8);
      await session.expect(Opcode.dataIn, tag);
    }
    const answered = new Set<number>();
    while (answered.size < 32) {
      await eventually(() => held.length > 0, "a slow read runs");
      const count = held.length;
      release();
      for (let index = 0; index < count; index += 1) {
        const pdu = await session.expect(Opcode.dataIn);
        answered.add(Buffer.from(pdu.header).readUInt32BE(16));
      }
    }
    expect(answered.size).toBe(32);
  });

  it("does not hold up another session", async () => {
    const slow = await RawSession.open(target);
    slow.command({ tag: 1, cmdSn: slow.cmdSn++, cdb: TEST_UNIT_READY, lun: 1 });
    await slow.expectResponse(1, 2);
    const write = { lun: 1, flags: 0xa1, expectedBytes: 262_144, data: Buffer.alloc(262_144, 1) };
    for (let tag = 2; tag < 130; tag += 1) {
      slow.command({ tag, cmdSn: slow.cmdSn++, cdb: cdb16(0x8a, 0, 512), ...write });
    }
    await eventually(() => held.length > 10, "the slow writes run");
    const fast = await RawSession.open(target);
    for (let tag = 1; tag < 200; tag += 1) {
      fast.read(tag, 8);
      await fast.expect(Opcode.dataIn, tag);
    }
    // What the slow ones hold is bounded: the connection is not read while too much waits.
    expect(target.server.statistics.lentBytes).toBeLessThan(24 * 1024 * 1024);
    let finished = false;
    const letGo = (): void => {
      release();
      if (!finished) setImmediate(letGo);
    };
    letGo();
    for (let tag = 2; tag < 130; tag += 1) await slow.expectResponse(tag, 0);
    finished = true;
  });
});
