import { describe, expect, it } from "vitest";

import { crc32c } from "../../native-free/crc32c.ts";
import { BufferPool } from "../../src/iscsi/buffer-pool.ts";
import {
  POOLED_BUFFERS_MAX,
  SEND_CHUNK_BYTES,
  SEND_QUEUE_BYTES_HIGH,
  SEND_QUEUE_BYTES_MAX,
} from "../../src/iscsi/limits.ts";
import { beginHeader } from "../../src/iscsi/pdu/basic-header.ts";
import { SendQueue, type SendSink } from "../../src/iscsi/send-queue.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { cutPdus, type Digests } from "./support/pdu-stream.ts";

/** Keeps what it is given, as memory and as a copy, until the test says that it is sent. */
class Sink implements SendSink {
  readonly sends: (readonly Buffer[])[] = [];
  readonly #copies: Buffer[] = [];

  send(chunks: readonly Buffer[]): void {
    this.sends.push(chunks);
    this.#copies.push(Buffer.concat(chunks));
  }

  /** The oldest send, if it still is what was handed over. */
  take(): Buffer {
    const [chunks, copy] = [this.sends.shift(), this.#copies.shift()];
    if (chunks === undefined || copy === undefined) throw new Error("nothing was sent");
    expect(Buffer.concat(chunks).equals(copy), "memory is left alone until it is sent").toBe(true);
    return copy;
  }
}

interface Bench {
  readonly pool: BufferPool;
  readonly sink: Sink;
  readonly queue: SendQueue;
}

function makeBench(digests: Digests = { header: false, data: false }): Bench {
  const pool = new BufferPool(SEND_CHUNK_BYTES, POOLED_BUFFERS_MAX);
  // What was in the memory before must never be seen.
  const used = Array.from({ length: 8 }, () => pool.lease().fill(0xa5));
  for (const buffer of used) pool.release(buffer);
  const sink = new Sink();
  const queue = new SendQueue(pool, sink);
  queue.headerDigest = digests.header;
  queue.dataDigest = digests.data;
  return { pool, sink, queue };
}

/** Queues a PDU with `tag` for its content. */
function put(queue: SendQueue, tag: number, dataBytes: number): void {
  const base = queue.reserve(dataBytes);
  beginHeader(queue.buffer, base, 0x20, 0x80, dataBytes);
  queue.buffer.writeUInt32BE(tag, base + 16);
  queue.buffer.fill(tag & 0xff, queue.dataOffset(base), queue.dataOffset(base) + dataBytes);
  queue.commit();
}

describe("SendQueue", () => {
  it.each<Digests>([
    { header: false, data: false },
    { header: true, data: false },
    { header: false, data: true },
    { header: true, data: true },
  ])("sends what was committed, padded with zeros, with digests as agreed: %j", (digests) => {
    const { queue, sink } = makeBench(digests);
    const sizes = [0, 1, 2, 3, 4, 5, 4096];
    for (const [tag, dataBytes] of sizes.entries()) put(queue, tag, dataBytes);
    const bytes = queue.queuedBytes;
    queue.flush();
    expect(sink.sends).toHaveLength(1);
    const stream = sink.take();
    expect(stream.length).toBe(bytes);
    const pdus = cutPdus(stream, digests);
    expect(pdus.map(({ header }) => header.readUInt32BE(16))).toEqual([...sizes.keys()]);
    for (const [tag, pdu] of pdus.entries()) {
      expect(pdu.data.equals(Buffer.alloc(sizes[tag] ?? 0, tag))).toBe(true);
      expect(pdu.padding.every((byte) => byte === 0)).toBe(true);
      if (digests.header) expect(pdu.headerDigest.readUInt32LE()).toBe(crc32c(pdu.header, 0, 48));
      if (digests.data && pdu.data.length !== 0) {
        const segment = Buffer.concat([pdu.data, pdu.padding]);
        expect(pdu.dataDigest.readUInt32LE()).toBe(crc32c(segment, 0, segment.length));
      }
    }
  });

  it("holds no memory while it is idle, and none after all is sent", () => {
    const { queue, sink, pool } = makeBench();
    queue.flush();
    expect([sink.sends.length, pool.lentCount]).toEqual([0, 0]);
    put(queue, 1, 100);
    expect(pool.lentCount).toBe(1);
    queue.flush();
    queue.flush();
    expect(sink.sends).toHaveLength(1);
    queue.sent();
    expect([queue.queuedBytes, pool.lentCount]).toEqual([0, 0]);
    expect(() => queue.sent()).toThrow("no more is sent");
  });

  it("gives a place that was not committed out again", () => {
    const { queue, sink, pool } = makeBench();
    const first = queue.reserve(SEND_CHUNK_BYTES / 2);
    expect(queue.reserve(0)).toBe(first);
    put(queue, 5, 8);
    queue.reserve(1000);
    queue.flush();
    const pdus = cutPdus(sink.take(), { header: false, data: false });
    expect(pdus.map(({ header }) => header.readUInt32BE(16))).toEqual([5]);
    queue.sent();
    expect(pool.lentCount).toBe(0);
  });

  it("asserts that a place is committed once, and fits", () => {
    const { queue } = makeBench();
    expect(() => queue.buffer).toThrow("reserved first");
    expect(() => queue.commit()).toThrow("reserved last");
    put(queue, 1, 0);
    expect(() => queue.commit()).toThrow("reserved last");
    expect(() => queue.reserve(SEND_CHUNK_BYTES)).toThrow("fits into a chunk");
    expect(() => new SendQueue(new BufferPool(1, 1), new Sink())).toThrow("send chunks");
  });

  it("goes on in the next chunk exactly where one is full", () => {
    for (const spare of [-4, 0, 4]) {
      const { queue, sink, pool } = makeBench();
      // What a reservation takes: header, both digests, data.
      const half = SEND_CHUNK_BYTES / 2 - 56;
      put(queue, 1, half - spare);
      put(queue, 2, half);
      put(queue, 3, half);
      queue.flush();
      const pdus = cutPdus(sink.take(), { header: false, data: false });
      expect(pdus.map(({ header }) => header.readUInt32BE(16))).toEqual([1, 2, 3]);
      queue.sent();
      expect(pool.lentCount).toBe(0);
    }
  });

  it("lets a chunk go that was sent whole before the next one began", () => {
    const { queue, sink, pool } = makeBench();
    put(queue, 1, SEND_CHUNK_BYTES / 2);
    queue.flush();
    // Makes no room in the first chunk, and is not committed.
    queue.reserve(SEND_CHUNK_BYTES / 2);
    queue.flush();
    while (sink.sends.length !== 0) {
      sink.take();
      queue.sent();
    }
    expect([queue.queuedBytes, pool.lentCount]).toEqual([0, 0]);
    put(queue, 2, 16);
    queue.flush();
    expect(cutPdus(sink.take(), { header: false, data: false })).toHaveLength(1);
  });

  it("tells when to stop asking for more", () => {
    const { queue } = makeBench();
    const states: string[] = [];
    for (let tag = 0; queue.queuedBytes < SEND_QUEUE_BYTES_MAX; tag += 1) {
      put(queue, tag, 256 * 1024 - 48);
      states.push(`${queue.high} ${queue.overfull}`);
    }
    expect(states.indexOf("true false")).toBe(SEND_QUEUE_BYTES_HIGH / 262_144 - 1);
    expect(states.indexOf("true true")).toBe(SEND_QUEUE_BYTES_MAX / 262_144 - 1);
  });

  it.each(["nothing", "a reservation", "PDUs", "a send", "all of these"])(
    "gives everything back when it is dropped with %s",
    (what) => {
      const { queue, pool } = makeBench();
      const all = what === "all of these";
      if (what === "a send" || all) {
        for (let tag = 0; tag < 5; tag += 1) put(queue, tag, 200_000);
        queue.flush();
        put(queue, 6, 1);
        queue.flush();
      }
      if (what === "PDUs" || all) for (let tag = 0; tag < 5; tag += 1) put(queue, tag, 200_000);
      if (what === "a reservation" || all) queue.reserve(4096);
      queue.drop();
      expect([queue.queuedBytes, pool.lentCount]).toEqual([0, 0]);
    },
  );

  /** An idle connection kept a chunk for a read whose data had to be waited for, and for ever if it was aborted. */
  it("keeps no memory for a place that came to nothing", () => {
    const { queue, sink, pool } = makeBench({ header: false, data: false });
    queue.reserve(4096);
    queue.flush();
    expect([sink.sends.length, pool.lentCount]).toEqual([0, 0]);
    put(queue, 1, 512);
    queue.reserve(4096);
    queue.flush();
    expect([sink.sends.length, pool.lentCount]).toEqual([1, 1]);
  });

  it("sends everything once and in order, and returns its memory, whenever what is sent", () => {
    const random = new SeededRandom(chooseSeed(process.env));
    const digests = { header: random.chance(0.5), data: random.chance(0.5) };
    const { queue, sink, pool } = makeBench(digests);
    const tags: number[] = [];
    const seen: Buffer[] = [];
    let tag = 0;
    for (let step = 0; step < 1500; step += 1) {
      const choice = random.below(10);
      if (choice < 5 && !queue.overfull) {
        put(queue, tag, random.pick([0, 1, 512, 4096, 65_536, 262_144]));
        tags.push(tag);
        tag += 1;
      } else if (choice === 5) queue.reserve(random.pick([0, 4096, 262_144]));
      else if (choice < 8) queue.flush();
      else if (sink.sends.length !== 0) {
        seen.push(sink.take());
        queue.sent();
      }
    }
    queue.flush();
    while (sink.sends.length !== 0) {
      seen.push(sink.take());
      queue.sent();
    }
    const pdus = cutPdus(Buffer.concat(seen), digests);
    const hint = `seed ${random.seed}`;
    expect(
      pdus.map(({ header }) => header.readUInt32BE(16)),
      hint,
    ).toEqual(tags);
    expect(
      pdus.every(({ header, data }) => data.equals(Buffer.alloc(data.length, header[19]))),
      hint,
    ).toBe(true);
    expect([queue.queuedBytes, pool.lentCount], hint).toEqual([0, 0]);
  });
});
