import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Connection } from "../../src/initiator/connection.ts";
import type { ReceivedPdu } from "../../src/initiator/pdu-reader.ts";
import { COMMAND_WINDOW } from "../../src/iscsi/limits.ts";
import { LoginPhase } from "../../src/iscsi/login-phase.ts";
import {
  decodeLoginResponse,
  encodeLoginRequest,
  type LoginRequestFields,
  type LoginResponseFields,
} from "../../src/iscsi/pdu/login.ts";
import {
  eventually,
  INITIATOR_NAME,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";
import { HeldDevice } from "./support/held-device.ts";

const TIMEOUT_MS = 20_000;
const NAMES = [`InitiatorName=${INITIATOR_NAME}`, `TargetName=${TARGET_NAME}`];

let target: InProcessTarget;
let device: HeldDevice;

beforeEach(async () => {
  device = new HeldDevice(1024 * 1024);
  target = await InProcessTarget.start({ targets: [{ units: [{ device }] }] });
});

afterEach(async () => {
  device.release();
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

function request(
  connection: Connection,
  items: readonly string[],
  fields: Partial<LoginRequestFields> = {},
): void {
  const header = Buffer.alloc(48);
  const text = Buffer.from(items.map((item) => `${item}\0`).join(""));
  const all: LoginRequestFields = {
    transit: true,
    continued: false,
    currentStage: 1,
    nextStage: 3,
    versionMax: 0,
    versionMin: 0,
    isid: "400000000001",
    tsih: 0,
    initiatorTaskTag: 0x42,
    cid: 5,
    cmdSn: 1000,
    expStatSn: 77,
    ...fields,
  };
  encodeLoginRequest(header, 0, all, text.length);
  connection.send(header, text);
}

async function response(connection: Connection): Promise<LoginResponseFields> {
  const pdu: ReceivedPdu = await connection.receive(TIMEOUT_MS);
  return decodeLoginResponse(pdu.header, 0);
}

describe("LoginPhase", () => {
  it("numbers its answers from what the first request proposes", async () => {
    expect(LoginPhase.name).toBe("LoginPhase");
    const connection = await target.open();
    request(connection, NAMES, { transit: false });
    expect(await response(connection)).toMatchObject({
      statusClass: 0,
      transit: false,
      initiatorTaskTag: 0x42,
      isid: "400000000001",
      statSn: 77,
      expCmdSn: 1000,
      maxCmdSn: 1000 + COMMAND_WINDOW - 1,
    });
    request(connection, [], { expStatSn: 78 });
    const last = await response(connection);
    expect(last).toMatchObject({ transit: true, nextStage: 3, statSn: 78 });
    expect(last.tsih).not.toBe(0);
    const [session] = target.server.sessions;
    expect(session).toMatchObject({ tsih: last.tsih, isid: "400000000001" });
    expect(session?.window.expCmdSn).toBe(1000);
    expect(session?.connection?.cid).toBe(5);
  });

  it("says why it refuses, and closes", async () => {
    const connection = await target.open();
    request(connection, [`InitiatorName=${INITIATOR_NAME}`, "TargetName=iqn.2026-11.x:none"]);
    expect(await response(connection)).toMatchObject({ statusClass: 2, statusDetail: 3 });
    await eventually(() => connection.closed !== null, "it is closed");
    expect(target.lines(/login refused/)).toHaveLength(1);
  });

  it("ends a connection that brings anything but a login", async () => {
    const connection = await target.open();
    const header = Buffer.alloc(48);
    header.writeUInt8(0x40, 0);
    connection.send(header);
    await eventually(() => connection.closed !== null, "it is closed");
  });

  it("ends a connection that asks again while its session is awaited", async () => {
    const old = await target.connect({ isid: "400000000001" });
    await old.execute({ lun: 0, cdb: Buffer.alloc(6) });
    const flush = old.execute({ lun: 0, cdb: Buffer.from("35000000000000000000", "hex") });
    const lost = flush.catch((error: unknown) => error);
    await eventually(() => device.held.length === 1, "a flush is running");
    const connection = await target.open();
    request(connection, NAMES);
    await eventually(() => old.closed !== null, "the old session goes");
    expect(connection.closed).toBeNull();
    request(connection, NAMES);
    await eventually(() => connection.closed !== null, "it is closed");
    device.release();
    expect(await lost).toBeInstanceOf(Error);
    await eventually(() => target.server.statistics.sessions === 0, "no session is left");
  });
});
