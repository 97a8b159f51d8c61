import { expect } from "vitest";
import type { ConnectOptions } from "../../../src/initiator/connect.ts";
import type { DigestSwitches } from "../../../src/initiator/connection.ts";
import { encodeText } from "../../../src/initiator/text-keys.ts";
import { newCdb, cdb16 } from "../../../src/initiator/scsi.ts";
import type { ReceivedPdu } from "../../../src/initiator/pdu-reader.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { opcodeOf } from "../../../src/iscsi/pdu/basic-header.ts";
import { LoginResponseField } from "../../../src/iscsi/pdu/login.ts";
import { Opcode } from "../../../src/iscsi/pdu/opcode.ts";
import type { InProcessTarget } from "../../support/in-process-target.ts";

/** One PDU of a session, in the order in which the initiator saw it leave or come. */
export type WireEvent =
  | { readonly kind: "sent"; readonly bytes: Uint8Array }
  | { readonly kind: "received"; readonly image: string };

export interface RecordedSession {
  readonly events: readonly WireEvent[];
  readonly digests: DigestSwitches;
}

/** A PDU as text that can be compared: all of it but the number of the session, which differs each time. */
export function imageOf(pdu: ReceivedPdu): string {
  const header = Buffer.from(pdu.header);
  if (opcodeOf(header, 0) === Opcode.loginResponse) {
    const [offset, lengthBytes] = LoginResponseField.tsih;
    header.fill(0, offset, offset + lengthBytes);
  }
  const data = Buffer.from(pdu.data).toString("hex");
  return `${header.toString("hex")} ${data}`;
}

/** Everything that an initiator can do, one after the other, in one session. */
async function runAll(session: InitiatorSession): Promise<void> {
  const blockBytes = 512;
  const pattern = Buffer.alloc(4096, "what is written must be what is read. ");
  // The first one meets the unit attention of a new nexus.
  expect((await session.execute({ lun: 0, cdb: newCdb(6, 0x00) })).status).toBe(2);
  expect((await session.execute({ lun: 0, cdb: newCdb(6, 0x00) })).status).toBe(0);
  const inquiry = Uint8Array.of(0x12, 0, 0, 0, 36, 0);
  await session.execute({ lun: 0, cdb: inquiry, expectedInBytes: 255 });
  const write = await session.execute({ lun: 0, cdb: cdb16(0x8a, 9, 8), dataOut: pattern });
  expect(write.status).toBe(0);
  await session.execute({
    lun: 0,
    cdb: cdb16(0x8a, 3, 1),
    dataOut: pattern.subarray(0, blockBytes),
  });
  const read = await session.execute({ lun: 0, cdb: cdb16(0x88, 9, 8), expectedInBytes: 4096 });
  expect(Buffer.compare(read.dataIn, pattern)).toBe(0);
  await session.execute({ lun: 0, cdb: cdb16(0x88, 9, 1), expectedInBytes: 100 });
  await session.execute({ lun: 0, cdb: cdb16(0x88, 2 ** 40, 1), expectedInBytes: blockBytes });
  await session.execute({ lun: 9, cdb: newCdb(6, 0x00) });
  const extended = newCdb(32, 0x7f);
  extended[7] = 24;
  expect((await session.execute({ lun: 0, cdb: extended })).status).toBe(2);
  const both = { dataOut: pattern.subarray(0, 8), expectedInBytes: 8 };
  await session.execute({ lun: 0, cdb: newCdb(6, 0xee), ...both });
  await session.execute({ lun: 0, cdb: cdb16(0x91, 0, 0), immediate: true });
  expect(await session.ping(Buffer.from("are you there?"))).toEqual(Buffer.from("are you there?"));
  await session.ping(Buffer.alloc(0), false);
  expect(encodeText(await session.text([["SendTargets", ""]])).toString()).toMatch(/^TargetName=/);
  expect(await session.manage({ functionCode: 1, lun: 0, referencedTaskTag: 77 })).toBe(1);
  expect(await session.manage({ functionCode: 5, lun: 0 })).toBe(0);
  expect(await session.logout()).toBe(0);
}

/** Runs a session with the initiator and keeps what went over the wire. */
export async function recordSession(
  target: InProcessTarget,
  options: Partial<ConnectOptions>,
): Promise<RecordedSession> {
  const events: WireEvent[] = [];
  const session = await target.connect({
    ...options,
    observer: {
      sent: (bytes) => void events.push({ kind: "sent", bytes: Uint8Array.from(bytes) }),
      received: (pdu) => void events.push({ kind: "received", image: imageOf(pdu) }),
    },
  });
  const { headerDigest: header, dataDigest: data } = session.parameters;
  await runAll(session);
  return { events, digests: { header, data } };
}

/** Lets the server read what was sent: a turn for the loop to poll, and one to be sure. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

const ANSWER_TIMEOUT_MS = 20_000;
const LAST_LOGIN_RESPONSE = /^23[89a-f][37bf]/;

/**
 * Sends the same bytes again, every PDU in the pieces that `cut` makes of it, and checks that every answer is the same.
 */
export async function replaySession(
  target: InProcessTarget,
  recorded: RecordedSession,
  cut: (bytes: Uint8Array) => readonly Uint8Array[],
): Promise<void> {
  const connection = await target.open();
  let unsent: Uint8Array[] = [];
  for (const event of recorded.events) {
    if (event.kind === "sent") {
      unsent.push(...cut(event.bytes));
      continue;
    }
    for (const [index, piece] of unsent.entries()) {
      if (index > 0) await settle();
      connection.sendBytes(piece);
    }
    unsent = [];
    const pdu = await connection.receive(ANSWER_TIMEOUT_MS);
    const image = imageOf(pdu);
    if (image !== event.image) expect(image).toBe(event.image);
    if (LAST_LOGIN_RESPONSE.test(image)) {
      connection.setDigests(recorded.digests);
      connection.setReceiveLimit(0xff_ffff);
    }
  }
  connection.destroy();
}
