import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { login } from "../../src/initiator/login.ts";
import { DEFAULT_OFFERS } from "../../src/initiator/parameters.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { getUint32BE } from "../../src/util/bytes.ts";
import { serialAdd } from "../../src/util/serial-number.ts";
import { INITIATOR_NAME, InProcessTarget, TARGET_NAME } from "../support/in-process-target.ts";
import { RawSession, TEST_UNIT_READY } from "./support/raw-session.ts";

describe("the order of commands, RFC 7143 4.2.2.1", () => {
  let target: InProcessTarget;
  beforeAll(async () => {
    target = await InProcessTarget.start();
  });
  afterAll(async () => {
    await target.close();
  });

  it("is that of CmdSN, not of arrival", async () => {
    const session = await RawSession.open(target);
    const first = session.cmdSn;
    for (const index of [3, 1, 2, 0]) {
      session.command({ tag: 100 + index, cdb: TEST_UNIT_READY, cmdSn: first + index });
    }
    for (const index of [0, 1, 2, 3]) {
      const response = await session.expectResponse(100 + index, 0);
      // All four count as received by the time the first answer leaves, or as far as they were taken.
      expect(getUint32BE(response.header, 28)).toBeGreaterThan(first + index);
    }
    session.cmdSn = first + 4;
    await session.expectAlive();
  });

  it("keeps the data of a write that came too early", async () => {
    const session = await RawSession.open(target);
    const first = session.cmdSn;
    const data = Buffer.alloc(512, "early ");
    session.cmdSn = first + 1;
    session.write(1, 1, data);
    session.cmdSn = first;
    session.command({ tag: 2, cdb: TEST_UNIT_READY, cmdSn: first });
    await session.expectResponse(2, 0);
    await session.expectResponse(1, 0);
    session.cmdSn = first + 2;
    session.read(3, 1);
    const read = await session.expect(Opcode.dataIn, 3);
    expect(Buffer.compare(read.data, data)).toBe(0);
  });

  it("lets immediate commands pass a gap without filling it", async () => {
    const session = await RawSession.open(target);
    const first = session.cmdSn;
    session.command({ tag: 1, cdb: TEST_UNIT_READY, cmdSn: first + 1 });
    session.command({ tag: 2, cdb: TEST_UNIT_READY, cmdSn: first, immediate: true });
    const response = await session.expectResponse(2, 0);
    expect(getUint32BE(response.header, 28)).toBe(first);
    session.command({ tag: 3, cdb: TEST_UNIT_READY, cmdSn: first });
    await session.expectResponse(3, 0);
    await session.expectResponse(1, 0);
  });

  it("drops in silence what lies before and beyond the window, and duplicates", async () => {
    const session = await RawSession.open(target);
    const first = session.cmdSn;
    session.nop(9, first, true);
    const { header } = await session.expect(Opcode.nopIn, 9);
    const maxCmdSn = getUint32BE(header, 32);
    expect(getUint32BE(header, 28)).toBe(first);
    for (const cmdSn of [first - 1, serialAdd(maxCmdSn, 1), serialAdd(maxCmdSn, 5000)]) {
      session.command({ tag: 10, cdb: TEST_UNIT_READY, cmdSn });
    }
    session.command({ tag: 11, cdb: TEST_UNIT_READY, cmdSn: serialAdd(first, 0x8000_0000) });
    session.command({ tag: 12, cdb: TEST_UNIT_READY, cmdSn: first + 1 });
    session.command({ tag: 13, cdb: TEST_UNIT_READY, cmdSn: first + 1 });
    await session.expectAlive();
    session.command({ tag: 14, cdb: TEST_UNIT_READY, cmdSn: first });
    await session.expectResponse(14, 0);
    await session.expectResponse(12, 0);
    await session.expectAlive();
  });

  it("opens the window as commands end, and never closes it again", async () => {
    const session = await RawSession.open(target);
    let last = 0;
    for (let round = 0; round < 600; round += 1) {
      session.command({ tag: round, cdb: TEST_UNIT_READY, cmdSn: session.cmdSn++ });
      const { header } = await session.expectResponse(round, 0);
      const maxCmdSn = getUint32BE(header, 32);
      expect(maxCmdSn).toBeGreaterThan(last);
      last = maxCmdSn;
    }
  });

  it("works across the end of the numbers", async () => {
    // A login may begin with any CmdSN; the initiator of these tests begins with 1, so the PDU is changed on its way.
    const connection = await target.open();
    const start = 0xffff_fff0;
    const send = connection.send.bind(connection);
    connection.send = (header, data, additional): void => {
      new DataView(header.buffer, header.byteOffset).setUint32(24, start);
      send(header, data, additional);
    };
    const names = { initiatorName: INITIATOR_NAME, targetName: TARGET_NAME };
    const intent = { ...names, sessionType: "normal", offers: DEFAULT_OFFERS } as const;
    const identity = { isid: "800000000777", tsih: 0, cid: 0 };
    const result = await login(connection, intent, identity);
    connection.send = send;
    const session = new RawSession(connection, { ...result, cmdSn: start });
    for (let index = 0; index < 40; index += 1) {
      session.command({ tag: index, cdb: TEST_UNIT_READY, cmdSn: serialAdd(start, index) });
      await session.expectResponse(index, index === 0 ? 2 : 0);
    }
  });

  it("does not answer what asks for no answer", async () => {
    const session = await RawSession.open(target);
    session.nop(RESERVED_TAG, session.cmdSn, true, Buffer.from("only numbers"));
    await session.expectAlive();
  });

  it("gives an ordered NOP-Out a number of its own, and returns its data", async () => {
    const session = await RawSession.open(target);
    const first = session.cmdSn;
    session.nop(5, first, false, Buffer.alloc(4096, 7));
    const { header, data } = await session.expect(Opcode.nopIn, 5);
    expect(getUint32BE(header, 28)).toBe(first + 1);
    expect(Buffer.compare(data, Buffer.alloc(4096, 7))).toBe(0);
  });

  it("survives a window full of commands in one chunk", async () => {
    const session = await RawSession.open(target);
    for (let index = 0; index < 255; index += 1) session.read(index, 8);
    for (let index = 0; index < 255; index += 1) {
      const pdu = await session.expect(Opcode.dataIn, index);
      expect(pdu.data).toHaveLength(4096);
    }
  });

  it("bounds what it keeps of commands that came too early", async () => {
    const session = await RawSession.open(target);
    session.cmdSn += 1;
    for (let index = 0; index < 100; index += 1) session.write(index, 512, Buffer.alloc(262_144));
    await session.expectClosed();
    expect(target.lines(/out of order/)).not.toEqual([]);
  });
});
