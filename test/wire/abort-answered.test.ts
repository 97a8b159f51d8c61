import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeLun } from "../../src/initiator/command.ts";
import { newCdb } from "../../src/initiator/scsi.ts";
import type { ReceivedPdu } from "../../src/initiator/pdu-reader.ts";
import { COMMAND_WINDOW } from "../../src/iscsi/limits.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import {
  encodeTaskManagementRequest,
  TaskManagementFunctionCode as Function,
} from "../../src/iscsi/pdu/task-management.ts";
import { serialDistance } from "../../src/util/serial-number.ts";
import { getUint32BE, getUint8, setUint16BE, setUint32BE } from "../../src/util/bytes.ts";
import { InProcessTarget } from "../support/in-process-target.ts";
import { RawSession, senseOf, TEST_UNIT_READY, WRITE_FLAGS } from "./support/raw-session.ts";

/**
 * A command that fails before its data have come is decided, but its response waits until the initiator has sent what it
 * announced (RFC 7143 4.2.4.2). By then it is in no task set. Task management that looked only there left it behind: the
 * initiator, told that all was aborted, sent no more data, and the command kept its tag and its place in the window for ever.
 */

const TAG = 0x0101;
const FUNCTION_TAG = 0x0f0f_0f0f;
const FUNCTION_COMPLETE = 0;
const UNSOLICITED = { offers: { initialR2t: false, immediateData: true } };
const BYTES = 64 * 1024;

let target: InProcessTarget;

beforeEach(async () => {
  target = await InProcessTarget.start();
});

afterEach(async () => {
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

/** A WRITE (10) that announces unsolicited data and begins behind the last block. */
function writeNowhere(session: RawSession, tag: number): number {
  const cdb = newCdb(10, 0x2a);
  setUint32BE(cdb, 2, 0xffff_ff00);
  setUint16BE(cdb, 7, BYTES / 512);
  const cmdSn = session.cmdSn++;
  session.command({ tag, cdb, cmdSn, flags: WRITE_FLAGS, expectedBytes: BYTES });
  return cmdSn;
}

function lateData(session: RawSession, tag: number, final = true): void {
  const place = { dataSn: 0, bufferOffset: 0, final };
  session.dataOut(tag, RESERVED_TAG, place, Buffer.alloc(4096, 1));
}

async function manage(session: RawSession, functionCode: number, refCmdSn = 0): Promise<number> {
  const header = new Uint8Array(48);
  encodeTaskManagementRequest(header, 0, {
    immediate: true,
    functionCode,
    lun: encodeLun(0),
    initiatorTaskTag: FUNCTION_TAG,
    referencedTaskTag: functionCode === Function.abortTask ? TAG : RESERVED_TAG,
    cmdSn: session.cmdSn,
    expStatSn: 0,
    refCmdSn,
  });
  session.connection.send(header);
  const pdu = await session.expect(Opcode.taskManagementResponse, FUNCTION_TAG);
  return getUint8(pdu.header, 2);
}

/** How many commands the target says may come. */
function windowOf({ header }: ReceivedPdu): number {
  return serialDistance(getUint32BE(header, 28), getUint32BE(header, 32)) + 1;
}

async function expectWindow(session: RawSession, width: number): Promise<void> {
  const tag = 0x00bb_bbbb;
  session.nop(tag, session.cmdSn, true);
  expect(windowOf(await session.expect(Opcode.nopIn, tag))).toBe(width);
}

/** Executes TEST UNIT READY under the tag until it is GOOD; returns the senses before that. */
async function readyAgain(session: RawSession, tag: number): Promise<string[]> {
  const senses: string[] = [];
  for (let attempts = 0; attempts < 4; attempts += 1) {
    session.command({ tag, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
    const pdu = await session.expect(Opcode.scsiResponse, tag);
    if (getUint8(pdu.header, 3) === 0) return senses;
    senses.push(senseOf(pdu));
  }
  throw new Error(`never ready: ${senses.join(" ")}`);
}

describe("a command that failed before its data came", () => {
  it("is answered when the last of them has come, not earlier", async () => {
    const session = await RawSession.open(target, UNSOLICITED);
    writeNowhere(session, TAG);
    await session.expectAlive();
    lateData(session, TAG, false);
    await session.expectAlive();
    const place = { dataSn: 1, bufferOffset: 4096, final: true };
    session.dataOut(TAG, RESERVED_TAG, place, Buffer.alloc(512));
    expect(senseOf(await session.expectResponse(TAG, 2))).toBe("5/21/00");
    await expectWindow(session, COMMAND_WINDOW);
  });

  it.each([
    { name: "ABORT TASK", code: Function.abortTask, senses: [] },
    { name: "ABORT TASK SET", code: Function.abortTaskSet, senses: [] },
    { name: "CLEAR TASK SET", code: Function.clearTaskSet, senses: [] },
    { name: "LOGICAL UNIT RESET", code: Function.logicalUnitReset, senses: ["6/29/03"] },
    { name: "TARGET WARM RESET", code: Function.targetWarmReset, senses: ["6/29/03"] },
  ])("ends with $name, and leaves its place and its tag", async ({ code, senses }) => {
    const session = await RawSession.open(target, UNSOLICITED);
    const cmdSn = writeNowhere(session, TAG);
    await session.expectAlive();
    expect(await manage(session, code, cmdSn)).toBe(FUNCTION_COMPLETE);
    await expectWindow(session, COMMAND_WINDOW);
    // What was on its way when the function was sent is dropped without a word.
    lateData(session, TAG, false);
    lateData(session, TAG, true);
    await session.expectAlive();
    expect(await readyAgain(session, TAG)).toEqual(senses);
    await session.expectAlive();
  });

  it("may be the whole window: one reset frees all of it", async () => {
    const session = await RawSession.open(target, UNSOLICITED);
    await expectWindow(session, COMMAND_WINDOW);
    for (let index = 0; index < COMMAND_WINDOW; index += 1) writeNowhere(session, 0x1000 + index);
    await expectWindow(session, 0);
    expect(await manage(session, Function.logicalUnitReset)).toBe(FUNCTION_COMPLETE);
    await expectWindow(session, COMMAND_WINDOW);
    for (let index = 0; index < COMMAND_WINDOW; index += 1) lateData(session, 0x1000 + index);
    await session.expectAlive();
    expect(await readyAgain(session, 0x1000)).toEqual(["6/29/03"]);
  });

  it("of another session is left alone by ABORT TASK SET", async () => {
    const one = await RawSession.open(target, UNSOLICITED);
    const other = await RawSession.open(target, UNSOLICITED);
    writeNowhere(one, TAG);
    writeNowhere(other, TAG);
    await other.expectAlive();
    await one.expectAlive();
    expect(await manage(one, Function.abortTaskSet)).toBe(FUNCTION_COMPLETE);
    lateData(other, TAG);
    expect(senseOf(await other.expectResponse(TAG, 2))).toBe("5/21/00");
  });

  it("goes with its session", async () => {
    const session = await RawSession.open(target, UNSOLICITED);
    writeNowhere(session, TAG);
    await session.expectAlive();
    session.connection.destroy();
    await target.idle();
    expect(target.server.statistics.sessions).toBe(0);
  });
});
