import { connect as connectSocket, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { framePdu } from "../../src/initiator/connection.ts";
import { encodeText } from "../../src/initiator/text-keys.ts";
import { BASIC_HEADER_BYTES } from "../../src/iscsi/pdu/basic-header.ts";
import { encodeLoginRequest } from "../../src/iscsi/pdu/login.ts";
import { Opcode } from "../../src/iscsi/pdu/opcode.ts";
import {
  eventually,
  INITIATOR_NAME,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawSession } from "./support/raw-session.ts";

const MIB = 1024 * 1024;

let target: InProcessTarget;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

/** Memory of this process outside the JavaScript heap and in it, in bytes. The server is part of this process. */
function memoryBytes(): number {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function openSocket(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: "127.0.0.1", port: target.port });
    sockets.push(socket);
    socket.on("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** The first request of a login that says who it is, and asks to stay in its stage. */
function beginningOfLogin(): Uint8Array {
  const text = encodeText([
    ["InitiatorName", INITIATOR_NAME],
    ["TargetName", TARGET_NAME],
    ["MaxBurstLength", "65536"],
  ]);
  const header = new Uint8Array(BASIC_HEADER_BYTES);
  const fields = {
    transit: false,
    continued: false,
    currentStage: 1,
    nextStage: 0,
    versionMax: 0,
    versionMin: 0,
    isid: "800000000042",
    tsih: 0,
    initiatorTaskTag: 1,
    cid: 0,
    cmdSn: 1,
    expStatSn: 0,
  };
  encodeLoginRequest(header, 0, fields, text.length);
  return framePdu(header, new Uint8Array(0), text, { header: false, data: false });
}

describe("half-open logins", () => {
  it("by the thousand leave room for real ones, and are thrown out in time", async () => {
    const clock = new ManualClock();
    target = await InProcessTarget.start({
      clock,
      limits: { pings: { intervalSeconds: 0, count: 1 } },
    });
    const before = memoryBytes();
    const begun = beginningOfLogin();
    let answers = 0;
    for (let index = 0; index < 3000; index += 1) {
      const socket = await openSocket();
      // Some say nothing at all, some stop in the middle of a header, some in the middle of the login.
      if (index % 3 === 1) socket.write(begun.subarray(0, 30));
      if (index % 3 === 2) socket.write(begun);
      socket.once("data", () => (answers += 1));
    }
    await eventually(() => target.server.statistics.connections === 3000, "all are accepted");
    await eventually(() => answers === 1000, "those who began are answered");
    expect(memoryBytes() - before).toBeLessThan(3000 * 40 * 1024);
    const session = await RawSession.open(target);
    await session.expectAlive();
    clock.advance(14_000);
    await session.expectAlive();
    clock.advance(2_000);
    await eventually(() => target.server.statistics.connections === 1, "the idle ones are gone");
    await session.expectAlive();
  });

  it("beyond the limit make room for newer ones; sessions keep their place", async () => {
    target = await InProcessTarget.start({ limits: { connectionsMax: 20 } });
    const session = await RawSession.open(target);
    for (let index = 0; index < 100; index += 1) await openSocket();
    const late = await RawSession.open(target);
    expect(target.server.statistics.connections).toBeLessThanOrEqual(20);
    await session.expectAlive();
    await late.expectAlive();
  });

  it("are refused where all places are taken by sessions", async () => {
    target = await InProcessTarget.start({ limits: { connectionsMax: 4 } });
    const sessions = [];
    for (let index = 0; index < 4; index += 1) sessions.push(await RawSession.open(target));
    await expect(RawSession.open(target)).rejects.toThrow(/closed|broke/);
    for (const session of sessions) await session.expectAlive();
  });
});

describe("a slow reader", () => {
  it("cannot make the server grow, nor hold up others", async () => {
    target = await InProcessTarget.start();
    const slow = await RawSession.open(target);
    const other = await RawSession.open(target);
    slow.connection.socket.pause();
    const before = memoryBytes();
    // 200 MiB in all, of which nobody reads a byte.
    for (let tag = 0; tag < 200; tag += 1) slow.read(tag, MIB / 512);
    for (let tag = 0; tag < 300; tag += 1) {
      other.read(tag, 8);
      await other.expect(Opcode.dataIn, tag);
    }
    expect(memoryBytes() - before).toBeLessThan(24 * MIB);
    expect(target.server.statistics.lentBytes).toBeLessThan(16 * MIB);
    slow.connection.socket.resume();
    let received = 0;
    while (received < 200 * MIB) {
      const pdu = await slow.connection.receive(20_000);
      expect(pdu.header[0]).toBe(Opcode.dataIn);
      received += pdu.data.length;
    }
    expect(received).toBe(200 * MIB);
    await other.expectAlive();
  });

  it("that only sends pings and never reads the answers is not served for ever", async () => {
    target = await InProcessTarget.start();
    const slow = await RawSession.open(target);
    const other = await RawSession.open(target);
    slow.connection.socket.pause();
    const before = memoryBytes();
    const data = Buffer.alloc(65_536, 1);
    for (let index = 0; index < 1000; index += 1) {
      slow.nop(index, slow.cmdSn, true, data);
      if (index % 50 === 0) await other.expectAlive();
    }
    // What this process queues to send is its own; the server's share is in its pools.
    expect(target.server.statistics.lentBytes).toBeLessThan(16 * MIB);
    expect(memoryBytes() - before).toBeLessThan(1000 * 65_536 + 24 * MIB);
    await other.expectAlive();
  });
});

describe("lies about lengths", () => {
  it("hold no memory for what never comes", async () => {
    target = await InProcessTarget.start();
    const before = memoryBytes();
    const sessions: RawSession[] = [];
    for (let index = 0; index < 64; index += 1) {
      const session = await RawSession.open(target);
      sessions.push(session);
      // A header that announces the longest segment, and then silence.
      const header = Buffer.alloc(48);
      header[0] = 0x40;
      header[1] = 0x80;
      header.writeUIntBE(262_144, 5, 3);
      session.connection.sendBytes(header);
    }
    await eventually(() => target.server.statistics.sessions === 64, "all are there");
    expect(memoryBytes() - before).toBeLessThan(64 * 400 * 1024);
    for (const session of sessions) session.connection.destroy();
    await target.idle();
  });

  it("write commands that announce more than a disk holds solicit nothing", async () => {
    target = await InProcessTarget.start();
    const session = await RawSession.open(target);
    for (let tag = 1; tag < 100; tag += 1) {
      const cdb = new Uint8Array(16).fill(0xff);
      cdb[0] = 0x8a;
      cdb[1] = 0;
      cdb[15] = 0;
      const fields = { cdb, flags: 0xa1, expectedBytes: 0xffff_ffff };
      session.command({ tag, cmdSn: session.cmdSn++, ...fields });
      await session.expectResponse(tag, 2);
    }
    await session.expectAlive();
  });

  it("a hundred large writes at once are invited within a bound", async () => {
    target = await InProcessTarget.start();
    const offers = { initialR2t: true, immediateData: false };
    const session = await RawSession.open(target, { offers });
    for (let tag = 1; tag <= 100; tag += 1) session.write(tag, (4 * MIB) / 512);
    let invitedBytes = 0;
    session.nop(0x5555, session.cmdSn, true);
    for (;;) {
      const pdu = await session.receive();
      if (pdu.header[0] === Opcode.nopIn) break;
      expect(pdu.header[0]).toBe(Opcode.readyToTransfer);
      invitedBytes += Buffer.from(pdu.header).readUInt32BE(44);
    }
    expect(invitedBytes).toBeGreaterThan(0);
    expect(invitedBytes).toBeLessThanOrEqual(8 * MIB);
    expect(target.server.statistics.lentBytes).toBeLessThan(16 * MIB);
  });
});
