import { afterEach, describe, expect, it } from "vitest";

import { Framer, type PduReceiver } from "../../src/iscsi/framer.ts";
import { DIRECT_RECEIVE_BYTES_MIN } from "../../src/iscsi/limits.ts";
import { ProtocolError } from "../../src/iscsi/protocol-error.ts";
import { TransportPools } from "../../src/iscsi/transport-pools.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { cutPdus, makePdu, type Digests } from "./support/pdu-stream.ts";

const SEGMENT_BYTES_MAX = 256 * 1024;

/** What a receiver was told, copied out of the memory that it was valid in. */
interface Seen {
  readonly header: string;
  readonly data: string;
  readonly good: boolean;
}

class Recorder implements PduReceiver {
  readonly seen: Seen[] = [];
  /** Receives this many more PDUs. */
  left = Infinity;

  get receiving(): boolean {
    return this.left > 0;
  }

  onPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number, good: boolean): void {
    const headerBytes = 48 + 4 * bytes.readUInt8(base + 4);
    this.left -= 1;
    this.seen.push({
      header: bytes.toString("hex", base, base + headerBytes),
      data: bytes.toString("hex", dataOffset, dataOffset + dataBytes),
      good,
    });
  }
}

/** Whatever a test cuts to pieces, every buffer has to come back. */
const pools = new TransportPools();
const framers: Framer[] = [];
afterEach(() => {
  for (const framer of framers.splice(0)) framer.drop();
  expect(pools.lentBytes).toBe(0);
});

function framerOf(recorder: PduReceiver, digests: Digests): Framer {
  const framer = new Framer(recorder, pools, SEGMENT_BYTES_MAX);
  framers.push(framer);
  framer.headerDigest = digests.header;
  framer.dataDigest = digests.data;
  return framer;
}

function oracle(stream: Buffer, digests: Digests): Seen[] {
  return cutPdus(stream, digests).map(({ header, data }) => ({
    header: header.toString("hex"),
    data: data.toString("hex"),
    good: true,
  }));
}

/** Feeds a piece as a connection does: where it wants to receive it, or in the middle of memory that is used again. */
function feed(framer: Framer, piece: Buffer): void {
  let at = 0;
  while (at < piece.length) {
    const target = framer.directTarget();
    if (target !== null) {
      const count = Math.min(target.length, piece.length - at);
      piece.copy(target, 0, at, at + count);
      framer.consumeDirect(count);
      at += count;
      continue;
    }
    const memory = Buffer.alloc(piece.length - at + 7, 0xee);
    piece.copy(memory, 3, at);
    framer.consume(memory, 3, 3 + piece.length - at);
    memory.fill(0xdd);
    at = piece.length;
  }
}

const DIGESTS: readonly Digests[] = [
  { header: false, data: false },
  { header: true, data: false },
  { header: false, data: true },
  { header: true, data: true },
];

describe.each(DIGESTS)("Framer with digests $header (header), $data (data)", (digests) => {
  const random = new SeededRandom(chooseSeed(process.env));
  const hint = `seed ${random.seed}`;

  it("cuts a stream at every byte", () => {
    const stream = Buffer.concat(
      [0, 1, 4, 511, 0].map((dataBytes, index) =>
        makePdu(random, dataBytes, index === 3 ? 12 : 0, digests),
      ),
    );
    const expected = oracle(stream, digests);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const recorder = new Recorder();
      const framer = framerOf(recorder, digests);
      feed(framer, stream.subarray(0, cut));
      feed(framer, stream.subarray(cut));
      expect(recorder.seen, `cut at ${cut}, ${hint}`).toEqual(expected);
      expect(framer.pendingBytes).toBe(0);
    }
    const recorder = new Recorder();
    const framer = framerOf(recorder, digests);
    for (let at = 0; at < stream.length; at += 1) feed(framer, stream.subarray(at, at + 1));
    expect(recorder.seen).toEqual(expected);
  });

  it("cuts long streams anywhere", () => {
    const sizes = [0, 0, 1, 3, 48, 512, 4096, DIRECT_RECEIVE_BYTES_MIN, SEGMENT_BYTES_MAX];
    for (let round = 0; round < 6; round += 1) {
      const pdus = Array.from({ length: 30 }, () =>
        makePdu(
          random,
          random.below(random.pick(sizes) + 1),
          4 * random.pick([0, 0, 1, 255]),
          digests,
        ),
      );
      const stream = Buffer.concat(pdus);
      const recorder = new Recorder();
      const framer = framerOf(recorder, digests);
      for (let at = 0; at < stream.length;) {
        const end = Math.min(
          stream.length,
          at + 1 + random.below(random.pick([50, 5000, 500_000])),
        );
        feed(framer, stream.subarray(at, end));
        at = end;
      }
      const same = JSON.stringify(recorder.seen) === JSON.stringify(oracle(stream, digests));
      expect(same, `round ${round}, ${hint}`).toBe(true);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  it("tells of a wrong data digest, and ends the stream at a wrong header digest", () => {
    const pdu = makePdu(random, 100, 8, digests);
    for (let at = 0; at < pdu.length; at += 1) {
      // Lengths of another PDU: without a digest nobody can tell.
      if (at >= 4 && at < 8) continue;
      const wrong = Buffer.from(pdu);
      wrong[at] = (wrong[at] ?? 0) ^ 0x10;
      const recorder = new Recorder();
      const framer = framerOf(recorder, digests);
      const headerBytes = 56 + (digests.header ? 4 : 0);
      if (digests.header && at < headerBytes) {
        expect(() => feed(framer, wrong), `byte ${at}`).toThrow("header digest");
        expect(recorder.seen).toEqual([]);
      } else {
        feed(framer, wrong);
        expect(
          recorder.seen.map(({ good }) => good),
          `byte ${at}`,
        ).toEqual([!digests.data || at < headerBytes]);
      }
    }
  });
});

describe("Framer", () => {
  const digests = { header: false, data: false };
  const random = new SeededRandom(3);

  it("refuses a segment longer than was declared before it takes memory for it", () => {
    const recorder = new Recorder();
    const header = Buffer.alloc(48);
    header.writeUIntBE(SEGMENT_BYTES_MAX + 1, 5, 3);
    for (const cut of [0, 1, 47]) {
      const framer = framerOf(recorder, digests);
      feed(framer, header.subarray(0, cut));
      expect(() => feed(framer, header.subarray(cut))).toThrow(ProtocolError);
    }
    header.writeUIntBE(SEGMENT_BYTES_MAX, 5, 3);
    const framer = framerOf(recorder, digests);
    feed(framer, header);
    expect(framer.pendingBytes).toBe(48);
    expect(recorder.seen).toEqual([]);
  });

  it("receives the rest of a long PDU where it belongs, and of a short one does not", () => {
    const framer = framerOf(new Recorder(), digests);
    const pdu = makePdu(random, DIRECT_RECEIVE_BYTES_MIN, 0, digests);
    expect(framer.directTarget()).toBeNull();
    framer.consume(pdu, 0, 48);
    expect(framer.directTarget()?.length).toBe(DIRECT_RECEIVE_BYTES_MIN);
    framer.consume(pdu, 48, 49);
    expect(framer.directTarget()).toBeNull();
    expect(framer.pendingBytes).toBe(49);
  });

  it("asserts that no more is received than there was room for", () => {
    const framer = framerOf(new Recorder(), digests);
    const pdu = makePdu(random, DIRECT_RECEIVE_BYTES_MIN, 0, digests);
    framer.consume(pdu, 0, 48);
    expect(() => framer.consumeDirect(DIRECT_RECEIVE_BYTES_MIN + 1)).toThrow("than is missing");
  });

  it("stops right behind the PDU after which its receiver wants no more, and can go on there", () => {
    const recorder = new Recorder();
    const framer = framerOf(recorder, digests);
    const pdus = [0, 10, 20].map((dataBytes) => makePdu(random, dataBytes, 0, digests));
    const stream = Buffer.concat(pdus);
    recorder.left = 2;
    const at = framer.consume(stream, 0, stream.length);
    expect(at).toBe(48 + 48 + 12);
    expect(recorder.seen).toHaveLength(2);
    expect(framer.consume(stream, at, stream.length)).toBe(at);
    recorder.left = 1;
    expect(framer.consume(stream, at, stream.length)).toBe(stream.length);
    expect(recorder.seen).toEqual(oracle(stream, digests));
  });

  it("takes digests from the next PDU on when a PDU switches them on", () => {
    const on = { header: true, data: true };
    const stream = Buffer.concat([makePdu(random, 8, 0, digests), makePdu(random, 8, 0, on)]);
    const recorder = new Recorder();
    const framer = new Framer(
      {
        receiving: true,
        onPdu: (...pdu) => {
          recorder.onPdu(...pdu);
          framer.headerDigest = true;
          framer.dataDigest = true;
        },
      },
      pools,
      SEGMENT_BYTES_MAX,
    );
    feed(framer, stream);
    expect(recorder.seen.map(({ good }) => good)).toEqual([true, true]);
    expect(framer.pendingBytes).toBe(0);
  });

  it("forgets everything when the connection is over", () => {
    const framer = framerOf(new Recorder(), digests);
    framer.consume(makePdu(random, 4096, 0, digests), 0, 1000);
    framer.drop();
    expect([framer.pendingBytes, framer.directTarget()]).toEqual([0, null]);
  });
});
