import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect as connectSocket } from "node:net";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { BASIC_HEADER_BYTES } from "../../src/iscsi/pdu/basic-header.ts";
import { encodeLoginRequest } from "../../src/iscsi/pdu/login.ts";
import { framePdu } from "../../src/initiator/connection.ts";
import { chooseSeed, SEED_VARIABLE, SeededRandom } from "../../src/util/random.ts";
import { chapPolicy, InProcessTarget, TARGET_NAME } from "../support/in-process-target.ts";
import { RawSession } from "../wire/support/raw-session.ts";
import { recordSession, type RecordedSession } from "../wire/support/recorded-session.ts";

const MIB = 1024 * 1024;

const seed = chooseSeed(process.env);
const random = new SeededRandom(seed);
// Printed so that a run that fails can be had again.
process.stdout.write(`${SEED_VARIABLE}=${seed}\n`);

let target: InProcessTarget;
/** A session that takes part in nothing, and must not notice anything. */
let witness: RawSession;
let recorded: RecordedSession;
const defects: unknown[] = [];
const onDefect = (error: unknown): void => void defects.push(error);

beforeAll(async () => {
  process.on("unhandledRejection", onDefect);
  process.on("uncaughtException", onDefect);
  target = await InProcessTarget.start({
    targets: [
      {},
      {
        name: "iqn.2026-11.net.example:locked",
        settings: { authentication: chapPolicy("alice", "secretsecret12") },
      },
    ],
  });
  witness = await RawSession.open(target);
  const offers = { maxBurstLength: 1024, firstBurstLength: 512, maxRecvDataSegmentLength: 512 };
  recorded = await recordSession(target, { offers });
});

afterEach(async () => {
  await witness.expectAlive();
  expect(defects).toEqual([]);
});

afterAll(async () => {
  await target.idle().catch(() => undefined);
  await target.close();
  process.off("unhandledRejection", onDefect);
  process.off("uncaughtException", onDefect);
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

/** Sends bytes on a connection of its own; resolves when the server closed it, or has read everything. */
function sendRaw(pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: "127.0.0.1", port: target.port }, () => {
      for (const piece of pieces) socket.write(piece);
      socket.end();
    });
    socket.on("data", () => undefined);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}

/** A cold reset rightly ends every session, the witness's too. */
function isColdReset(bytes: Uint8Array): boolean {
  const [opcode = 0, flags = 0] = bytes;
  return (opcode & 0x3f) === 2 && (flags & 0x7f) === 7;
}

/** Changes some bytes, mostly in the header, where they mean something. */
function mutate(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let count = random.between(1, 4); count > 0; count -= 1) {
    const range = random.chance(0.8) ? Math.min(BASIC_HEADER_BYTES, copy.length) : copy.length;
    copy[random.below(range)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  }
  if (isColdReset(copy)) copy[1] = 0x80;
  return copy;
}

describe("a server under random input", () => {
  it("takes random bytes as a first word", async () => {
    for (let round = 0; round < 200; round += 1) {
      await sendRaw([random.bytes(random.between(1, 4000))]);
    }
  });

  it("takes logins with random text", async () => {
    const words = ["InitiatorName", "TargetName", "SessionType", "AuthMethod", "CHAP_A", "CHAP_N"];
    const values = [
      "Normal",
      "Discovery",
      "CHAP",
      "None",
      "5",
      "0xZZ",
      "0b==",
      TARGET_NAME,
      "",
      "=",
    ];
    for (let round = 0; round < 300; round += 1) {
      const pieces: Uint8Array[] = [];
      for (let count = random.between(1, 5); count > 0; count -= 1) {
        const pairs = Array.from({ length: random.below(8) }, () =>
          random.chance(0.2)
            ? random.bytes(random.below(60)).toString("latin1")
            : `${random.pick(words)}=${random.pick(values)}`,
        );
        const end = random.chance(0.9) ? "\0" : "";
        const text = Buffer.from(pairs.map((pair) => `${pair}${end}`).join(""), "latin1");
        const header = new Uint8Array(BASIC_HEADER_BYTES);
        const fields = {
          transit: random.chance(0.5),
          continued: random.chance(0.2),
          currentStage: random.below(4),
          nextStage: random.below(4),
          versionMax: random.chance(0.9) ? 0 : random.below(256),
          versionMin: random.chance(0.9) ? 0 : random.below(256),
          isid: "800000000042",
          tsih: random.chance(0.8) ? 0 : random.below(0x10000),
          initiatorTaskTag: random.chance(0.9) ? 1 : random.uint32(),
          cid: random.chance(0.9) ? 0 : random.below(0x10000),
          cmdSn: 1,
          expStatSn: 0,
        };
        encodeLoginRequest(header, 0, fields, text.length);
        pieces.push(framePdu(header, new Uint8Array(0), text, { header: false, data: false }));
      }
      await sendRaw(pieces);
    }
  });

  it("takes whole sessions of which some PDUs are not what they were", async () => {
    const sent = recorded.events.flatMap((event) => (event.kind === "sent" ? [event.bytes] : []));
    for (let round = 0; round < 250; round += 1) {
      const victim = random.below(sent.length);
      await sendRaw(
        sent.map((bytes, index) =>
          index === victim || random.chance(0.05) ? mutate(bytes) : bytes,
        ),
      );
    }
  });

  it("takes whole sessions with PDUs left out, repeated and exchanged", async () => {
    const sent = recorded.events.flatMap((event) => (event.kind === "sent" ? [event.bytes] : []));
    for (let round = 0; round < 150; round += 1) {
      const pdus: Uint8Array[] = [];
      for (const bytes of sent) {
        if (random.chance(0.05)) continue;
        pdus.push(bytes);
        if (random.chance(0.05)) pdus.push(bytes);
        if (random.chance(0.05)) pdus.push(random.pick(sent));
      }
      await sendRaw(pdus);
    }
  });

  it("takes wild PDUs in full-feature phase", async () => {
    const rejected = new Map<string, number>();
    for (let round = 0; round < 120; round += 1) {
      const digests = random.pick(["none", "required"] as const);
      const session = await RawSession.open(target, {
        digests: { header: digests, data: digests },
      });
      for (let count = 0; count < 40; count += 1) {
        const data = random.bytes(random.pick([0, 0, 4, 512, random.below(3000)]));
        const words = random.pick([0, 0, 0, 1, 2, random.below(20)]);
        session.pdu(
          random.pick([0, 1, 2, 4, 5, 6, 0x10]) | (random.chance(0.5) ? 0x40 : 0),
          (header) => {
            for (let change = random.below(30); change > 0; change -= 1) {
              // Byte 4 to 7 are lengths, without which there would be no PDU.
              const at = random.pick([1, 2, 3, random.between(8, 47)]);
              header[at] = random.pick([0, 1, 0x80, 0xff, random.below(256)]);
            }
            if (isColdReset(header)) header[1] = 0x80;
          },
          data,
          random.bytes(words * 4),
        );
      }
      session.nop(1, session.cmdSn, true);
      const error: unknown = await drain(session).catch((reason: unknown) => reason);
      if (error instanceof InitiatorError)
        rejected.set(error.kind, (rejected.get(error.kind) ?? 0) + 1);
      else expect(error).toBeUndefined();
      session.connection.destroy();
    }
    // Protocol errors of the answers would be ours.
    expect(rejected.get("protocol") ?? 0).toBe(0);
    expect(rejected.get("timeout") ?? 0).toBe(0);
  });

  /** Reads answers until the last ping's comes, or the connection ends. */
  async function drain(session: RawSession): Promise<void> {
    for (;;) {
      const pdu = await session.connection.receive(20_000);
      const tag = Buffer.from(pdu.header).readUInt32BE(16);
      if (pdu.header[0] === 0x20 && tag === 1 && pdu.data.length === 0) return;
    }
  }

  it("takes wild CDBs in good PDUs", async () => {
    const session = await target.connect();
    for (let round = 0; round < 3000; round += 1) {
      const cdb = random.bytes(random.pick([6, 10, 12, 16, 16, 32]));
      if (random.chance(0.6)) {
        cdb[0] = random.pick([
          0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2f, 0x35, 0x41, 0x42, 0x5a,
          0x88, 0x8a, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa, 0xaf,
        ]);
      }
      // Mostly zeros, or nothing gets past the reserved fields.
      for (let at = 1; at < cdb.length; at += 1) if (random.chance(0.7)) cdb[at] = 0;
      const lengthBytes = random.pick([0, 8, 512, 4096, random.below(20_000)]);
      const gives = random.chance(0.5);
      const result = await session.execute({
        lun: random.chance(0.9) ? 0 : random.below(300),
        cdb,
        ...(gives ? { dataOut: random.bytes(lengthBytes) } : {}),
        ...(gives && random.chance(0.9) ? {} : { expectedInBytes: lengthBytes }),
      });
      expect([0x00, 0x02, 0x08, 0x18, 0x28]).toContain(result.status);
      if (result.status === 2) expect(result.sense).toBeDefined();
    }
    await session.logout();
  });

  it("has not grown by it", () => {
    global.gc?.();
    expect(target.server.statistics.lentBytes).toBe(0);
    expect(process.memoryUsage().external).toBeLessThan(256 * MIB);
  });
});
