import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeLun } from "../../src/initiator/command.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import {
  encodeTaskManagementRequest,
  TaskManagementFunctionCode as Function,
} from "../../src/iscsi/pdu/task-management.ts";
import { getUint8 } from "../../src/util/bytes.ts";
import { eventually, InProcessTarget, TARGET_NAME } from "../support/in-process-target.ts";
import { RawSession, senseOf, TEST_UNIT_READY } from "./support/raw-session.ts";

const OTHER_TARGET = "iqn.2026-11.net.example:other";
const FUNCTION_TAG = 0x0f0f_0f0f;

let target: InProcessTarget;

beforeEach(async () => {
  target = await InProcessTarget.start({
    targets: [{ name: TARGET_NAME }, { name: OTHER_TARGET }],
  });
});

afterEach(async () => {
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

function sendFunction(session: RawSession, functionCode: number): void {
  const header = new Uint8Array(48);
  encodeTaskManagementRequest(header, 0, {
    immediate: true,
    functionCode,
    lun: encodeLun(0),
    initiatorTaskTag: FUNCTION_TAG,
    referencedTaskTag: RESERVED_TAG,
    cmdSn: session.cmdSn,
    expStatSn: 0,
    refCmdSn: 0,
  });
  session.connection.send(header);
}

/** The answer to the function is the next PDU, and it says "function complete". */
async function expectComplete(session: RawSession): Promise<void> {
  const pdu = await session.expect(Opcode.taskManagementResponse, FUNCTION_TAG);
  expect(getUint8(pdu.header, 2)).toBe(0);
}

async function expectAttention(session: RawSession, sense: string): Promise<void> {
  session.command({ tag: 9, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
  expect(senseOf(await session.expectResponse(9, 2))).toBe(sense);
}

describe("TARGET COLD RESET", () => {
  it("is answered before the sessions of the target end", async () => {
    const one = await RawSession.open(target);
    const other = await RawSession.open(target);
    sendFunction(one, Function.targetColdReset);
    await expectComplete(one);
    await one.expectClosed();
    await other.expectClosed();
    await target.idle();
  });

  it("takes along commands that wait for their data, and answers none of them", async () => {
    const offers = { initialR2t: true, immediateData: false };
    const session = await RawSession.open(target, { offers });
    session.write(1, 8);
    await session.expectR2t(1);
    sendFunction(session, Function.targetColdReset);
    await expectComplete(session);
    await session.expectClosed();
    await eventually(() => target.server.statistics.lentBytes === 0, "all memory is back");
  });

  it("leaves the sessions of other targets alone", async () => {
    const one = await RawSession.open(target);
    const elsewhere = await RawSession.open(target, { targetName: OTHER_TARGET });
    const discovery = await RawSession.open(target, { sessionType: "discovery" });
    sendFunction(one, Function.targetColdReset);
    await expectComplete(one);
    await one.expectClosed();
    await eventually(() => target.server.statistics.sessions === 1, "its session has ended");
    elsewhere.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: elsewhere.cmdSn++ });
    await elsewhere.expectResponse(1, 0);
    await elsewhere.expectAlive();
    await discovery.expectAlive();
  });

  it("is followed by new logins that find a target after power on", async () => {
    const one = await RawSession.open(target);
    one.write(1, 1, Buffer.alloc(512, 0x5a));
    await one.expectResponse(1, 0);
    sendFunction(one, Function.targetColdReset);
    await expectComplete(one);
    await one.expectClosed();
    const next = await RawSession.open(target);
    next.read(2, 1);
    const pdu = await next.expect(Opcode.dataIn, 2);
    expect(Buffer.compare(pdu.data, Buffer.alloc(512, 0x5a))).toBe(0);
  });
});

describe("TARGET WARM RESET", () => {
  it("keeps the sessions, and tells each of them", async () => {
    const one = await RawSession.open(target);
    const other = await RawSession.open(target);
    const elsewhere = await RawSession.open(target, { targetName: OTHER_TARGET });
    sendFunction(one, Function.targetWarmReset);
    await expectComplete(one);
    await expectAttention(one, "6/29/03");
    await expectAttention(other, "6/29/03");
    for (const session of [one, other]) {
      session.read(10, 8);
      await session.expect(Opcode.dataIn, 10);
    }
    elsewhere.read(10, 8);
    await elsewhere.expect(Opcode.dataIn, 10);
    expect(target.server.statistics.sessions).toBe(3);
  });
});
