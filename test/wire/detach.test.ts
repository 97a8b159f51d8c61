import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DelayFilter } from "../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { encodeLun } from "../../src/initiator/command.ts";
import type { ReceivedPdu } from "../../src/initiator/pdu-reader.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import { COMMAND_WINDOW, STAGED_READ_BYTES_MAX } from "../../src/iscsi/limits.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { decodeScsiResponse, ResidualFlag } from "../../src/iscsi/pdu/scsi-response.ts";
import {
  encodeTaskManagementRequest,
  TaskManagementFunctionCode as Function,
  TaskManagementResponseCode as Response,
} from "../../src/iscsi/pdu/task-management.ts";
import { getUint32BE } from "../../src/util/bytes.ts";
import { serialDistance } from "../../src/util/serial-number.ts";
import {
  DISK_BYTES,
  eventually,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";
import {
  RawSession,
  READ_FLAGS,
  senseOf,
  TEST_UNIT_READY,
  WRITE_FLAGS,
} from "./support/raw-session.ts";

/**
 * A LUN was taken away while its disk hung, and its commands were dropped without a word: the initiator waited for each of
 * them until its time limit, and reset what it could reach.
 */

const FLUSH = cdb16(0x91, 0, 0);
const UNSUPPORTED = "5/25/00";
const LUNS_CHANGED = "6/3f/0e";
const FUNCTION_TAG = 0x0f0f_0f0f;
const NOP_TAG = 0x00bb_bbbb;
const SOLICITED = {
  offers: { initialR2t: true, immediateData: false, maxBurstLength: 256 * 1024 },
};
const PIECE_BYTES = 256 * 1024;

/** LUN 1 is the one that hangs and goes. */
const GONE_LUN = 1;
const LATE_LUN = 2;

/** Requests of the disk that hangs. */
let held: (() => void)[] = [];
let disk: MemoryDevice;
let target: InProcessTarget;
let leftCount = 0;

beforeEach(async () => {
  held = [];
  leftCount = 0;
  disk = new MemoryDevice(DISK_BYTES);
  const hangs = new DelayFilter(disk, 50, (callback) => void held.push(callback));
  const late = new DelayFilter(new MemoryDevice(DISK_BYTES), 0, (callback) => {
    setImmediate(callback);
  });
  const units = [new MemoryDevice(DISK_BYTES), hangs, late].map((device) => ({ device }));
  target = await InProcessTarget.start({ targets: [{ units }] });
});

afterEach(async () => {
  release();
  await target.close();
  expect(leftCount).toBe(1);
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

function release(): void {
  for (const callback of held.splice(0)) callback();
}

function detach(): void {
  const device = target.server.targets.get(TARGET_NAME)?.device;
  if (device === undefined) throw new Error("the target is gone");
  device.detach(GONE_LUN, () => {
    leftCount += 1;
  });
}

/** A session that has met what waits for a new one on every LUN. */
async function open(options: Parameters<typeof RawSession.open>[1] = {}): Promise<RawSession> {
  const session = await RawSession.open(target, options);
  for (const lun of [GONE_LUN, LATE_LUN]) {
    session.command({ tag: lun, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++, lun });
    await session.expectResponse(lun, 2);
  }
  return session;
}

function read(session: RawSession, tag: number, bytes = 4096, lun = GONE_LUN): void {
  const cdb = cdb16(0x88, 0, bytes / 512);
  const fields = { lun, flags: READ_FLAGS, expectedBytes: bytes };
  session.command({ tag, cdb, cmdSn: session.cmdSn++, ...fields });
}

function write(session: RawSession, tag: number, bytes: number, data?: Buffer): void {
  const cdb = cdb16(0x8a, 0, bytes / 512);
  const fields = { lun: GONE_LUN, flags: WRITE_FLAGS | 0x80, expectedBytes: bytes };
  const immediate = data === undefined ? {} : { data };
  session.command({ tag, cdb, cmdSn: session.cmdSn++, ...fields, ...immediate });
}

async function dataFor(session: RawSession, tag: number, byte = 1): Promise<() => void> {
  const r2t = await session.expectR2t(tag);
  const { targetTransferTag, bufferOffset, desiredDataTransferBytes } = r2t;
  return () => {
    const half = desiredDataTransferBytes / 2;
    const data = Buffer.alloc(half, byte);
    const first = { dataSn: 0, bufferOffset, final: false };
    session.dataOut(tag, targetTransferTag, first, data);
    const second = { dataSn: 1, bufferOffset: bufferOffset + half, final: true };
    session.dataOut(tag, targetTransferTag, second, data);
  };
}

async function expectUnsupported(session: RawSession, tag: number): Promise<ReceivedPdu> {
  const pdu = await session.expectResponse(tag, 2);
  expect(senseOf(pdu)).toBe(UNSUPPORTED);
  return pdu;
}

function manage(session: RawSession, functionCode: number, tag = RESERVED_TAG): void {
  const header = new Uint8Array(48);
  encodeTaskManagementRequest(header, 0, {
    immediate: true,
    functionCode,
    lun: encodeLun(GONE_LUN),
    initiatorTaskTag: FUNCTION_TAG,
    referencedTaskTag: tag,
    cmdSn: session.cmdSn,
    expStatSn: 0,
    refCmdSn: session.cmdSn - 1,
  });
  session.connection.send(header);
}

async function expectManaged(session: RawSession, response: number): Promise<void> {
  const pdu = await session.expect(Opcode.taskManagementResponse, FUNCTION_TAG);
  expect(pdu.header[2]).toBe(response);
}

/** Nothing more has come; every command has given its place back; the other LUNs work, and say what has changed. */
async function expectUnharmed(session: RawSession): Promise<void> {
  session.nop(NOP_TAG, session.cmdSn, true);
  const { header } = await session.expect(Opcode.nopIn, NOP_TAG);
  expect(getUint32BE(header, 28)).toBe(session.cmdSn);
  const window = serialDistance(getUint32BE(header, 28), getUint32BE(header, 32)) + 1;
  expect(window).toBe(COMMAND_WINDOW);
  for (const lun of [0, LATE_LUN]) {
    session.command({ tag: 0xee, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++, lun });
    expect(senseOf(await session.expectResponse(0xee, 2))).toBe(LUNS_CHANGED);
    read(session, 0xef, 4096, lun);
    const pdu = await session.expect(Opcode.dataIn, 0xef);
    expect(pdu.data).toHaveLength(4096);
  }
  session.command({ tag: 0xf0, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++, lun: GONE_LUN });
  await expectUnsupported(session, 0xf0);
  await session.expectAlive();
}

describe("commands to a LUN that is taken away", () => {
  it("are answered while the disk hangs: READ, FLUSH, one that waits for them, and WRITE after its data", async () => {
    const session = await open(SOLICITED);
    read(session, 10);
    session.command({ tag: 11, cdb: FLUSH, cmdSn: session.cmdSn++, lun: GONE_LUN });
    write(session, 12, 8192);
    const sendData = await dataFor(session, 12);
    const ordered = { lun: GONE_LUN, flags: 0x82 };
    session.command({ tag: 13, cdb: newCdb(6, 0x00), cmdSn: session.cmdSn++, ...ordered });
    await session.expectAlive();
    expect(held).toHaveLength(2);

    detach();
    const answer = await expectUnsupported(session, 10);
    expect(decodeScsiResponse(answer.header, 0)).toMatchObject({
      residualFlags: ResidualFlag.underflow,
      residualBytes: 4096,
      expDataSn: 0,
    });
    await expectUnsupported(session, 11);
    await expectUnsupported(session, 13);
    // RFC 7143 4.2.4.2: what was invited comes first. Here it crosses the end of the LUN on its way.
    sendData();
    const { header } = await expectUnsupported(session, 12);
    expect(decodeScsiResponse(header, 0)).toMatchObject({
      residualFlags: ResidualFlag.underflow,
      residualBytes: 8192,
    });
    await expectUnharmed(session);

    expect(leftCount).toBe(0);
    // The tags are free although the I/O is not over, and what comes of that touches nobody.
    read(session, 10, 8192, LATE_LUN);
    const pdu = await session.expect(Opcode.dataIn, 10);
    expect(Buffer.compare(pdu.data, Buffer.alloc(8192))).toBe(0);
    release();
    expect(leftCount).toBe(1);
    await session.expectAlive();
  });

  it("are answered when what they write has ended, and not earlier", async () => {
    const session = await open();
    write(session, 10, 4096, Buffer.alloc(4096, 7));
    await session.expectAlive();
    expect(held).toHaveLength(1);
    detach();
    await session.expectAlive();
    expect(leftCount).toBe(0);
    release();
    await expectUnsupported(session, 10);
    expect(leftCount).toBe(1);
    await expectUnharmed(session);
  });

  it.each(["before", "after"])(
    "are answered when the rest of the data comes %s the end of what is being written",
    async (when) => {
      const session = await open(SOLICITED);
      write(session, 10, 2 * PIECE_BYTES);
      (await dataFor(session, 10))();
      const sendRest = await dataFor(session, 10, 9);
      await session.expectAlive();
      expect(held).toHaveLength(1);
      detach();
      if (when === "before") sendRest();
      await session.expectAlive();
      release();
      expect(leftCount).toBe(1);
      if (when === "after") {
        await session.expectAlive();
        sendRest();
      }
      await expectUnsupported(session, 10);
      await expectUnharmed(session);
      const rest = Buffer.alloc(PIECE_BYTES);
      expect(disk.tryRead(rest, 0, PIECE_BYTES, PIECE_BYTES)).toBe(true);
      expect(Buffer.compare(rest, Buffer.alloc(PIECE_BYTES))).toBe(0);
    },
  );

  it("hold up no reads of others, however many of theirs hang", async () => {
    const session = await open();
    const count = STAGED_READ_BYTES_MAX / PIECE_BYTES;
    for (let tag = 100; tag <= 100 + count; tag += 1) read(session, tag, PIECE_BYTES);
    await session.expectAlive();
    expect(held).toHaveLength(count);
    detach();
    for (let tag = 100; tag <= 100 + count; tag += 1) await expectUnsupported(session, tag);
    await expectUnharmed(session);
    expect(held).toHaveLength(count);
  });

  it("end without harm when their session ends before their I/O", async () => {
    const session = await open(SOLICITED);
    read(session, 10);
    write(session, 11, 2 * PIECE_BYTES);
    (await dataFor(session, 11))();
    await dataFor(session, 11);
    await session.expectAlive();
    expect(held).toHaveLength(2);
    detach();
    await expectUnsupported(session, 10);
    session.connection.destroy();
    await target.idle();
    // The session outlives its connection until nothing of its can land on the disk any more.
    expect(target.server.statistics.sessions).toBe(1);
    release();
    await eventually(() => target.server.statistics.sessions === 0, "the session is over");
  });
});

describe("task management when a LUN is taken away", () => {
  it("is answered at once where it waits for what only reads", async () => {
    const session = await open();
    read(session, 10);
    session.command({ tag: 11, cdb: FLUSH, cmdSn: session.cmdSn++, lun: GONE_LUN });
    manage(session, Function.abortTaskSet);
    await session.expectAlive();
    detach();
    await expectManaged(session, Response.functionComplete);
    await expectUnharmed(session);
    read(session, 10, 4096, 0);
    await session.expect(Opcode.dataIn, 10);
    expect(leftCount).toBe(0);
  });

  it.each(["before", "after"])("sent %s that waits for what is being written", async (when) => {
    const session = await open();
    write(session, 10, 4096, Buffer.alloc(4096, 7));
    if (when === "before") manage(session, Function.abortTask, 10);
    await session.expectAlive();
    detach();
    if (when === "after") manage(session, Function.abortTask, 10);
    await session.expectAlive();
    release();
    await expectManaged(session, Response.functionComplete);
    // The command that was aborted is not answered besides.
    await expectUnharmed(session);
  });

  it("finds no LUN where nothing is left to wait for", async () => {
    const session = await open();
    detach();
    manage(session, Function.logicalUnitReset);
    await expectManaged(session, Response.lunDoesNotExist);
    await expectUnharmed(session);
  });
});
