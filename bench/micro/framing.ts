import { Framer, type PduReceiver } from "../../src/iscsi/framer.ts";
import { RECEIVE_BUFFER_BYTES } from "../../src/iscsi/limits.ts";
import { TransportPools } from "../../src/iscsi/transport-pools.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { type Digests, makePdu } from "../../test/iscsi/support/pdu-stream.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

const KIB = 1024;
const SEGMENT_BYTES_MAX: number = 256 * KIB;
/** What an Ethernet with jumbo frames brings in at a time, which never ends where a PDU does. */
const ODD_CHUNK_BYTES = 8948;

const NONE: Digests = { header: false, data: false };
const BOTH: Digests = { header: true, data: true };

/** Counts what it is handed, and looks at all that stands for it. */
class Counter implements PduReceiver {
  readonly receiving = true;
  pdus = 0;
  bytes = 0;

  onPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number, good: boolean): void {
    if (!good || dataOffset < base || dataOffset + dataBytes > bytes.length) return;
    this.pdus += 1;
    this.bytes += dataBytes;
  }
}

interface Stream {
  readonly name: string;
  readonly dataBytes: number;
  readonly pdus: number;
  readonly digests: Digests;
  /** How much comes in at a time. */
  readonly chunkBytes: number;
}

const STREAMS: readonly Stream[] = [NONE, BOTH].flatMap((digests) => {
  const suffix = digests === BOTH ? ", digests" : "";
  const stream = (name: string, dataBytes: number, pdus: number, chunkBytes: number): Stream => ({
    name: `${name}${suffix}`,
    dataBytes,
    pdus,
    digests,
    chunkBytes,
  });
  return [
    stream("32 commands without data in a chunk", 0, 32, RECEIVE_BUFFER_BYTES),
    stream("32 writes of 4 KiB in a chunk", 4 * KIB, 32, RECEIVE_BUFFER_BYTES),
    stream("32 writes of 4 KiB in chunks of 8,948 bytes", 4 * KIB, 32, ODD_CHUNK_BYTES),
    stream("16 segments of 64 KiB in chunks of 64 KiB", 64 * KIB, 16, 64 * KIB),
    stream("4 segments of 256 KiB in chunks of 64 KiB", 256 * KIB, 4, 64 * KIB),
  ];
});

/** Receives as a connection does: into its buffer, or where the framer wants the rest of a long PDU. */
function receive(framer: Framer, stream: Buffer, chunkBytes: number): void {
  let at = 0;
  while (at < stream.length) {
    const target = framer.directTarget();
    if (target === null) {
      const end = Math.min(stream.length, at + chunkBytes);
      at = framer.consume(stream, at, end);
    } else {
      const count = Math.min(target.length, chunkBytes, stream.length - at);
      // What the kernel would do: the only copy that is not the framer's.
      stream.copy(target, 0, at, at + count);
      framer.consumeDirect(count);
      at += count;
    }
  }
}

function caseOf({ name, dataBytes, pdus, digests, chunkBytes }: Stream): MicroCase {
  const random = new SeededRandom(pdus);
  const made = Array.from({ length: pdus }, () => makePdu(random, dataBytes, 0, digests));
  const stream = Buffer.concat(made);
  const isTouched = digests.data || chunkBytes < stream.length;
  const counter = new Counter();
  const framer = new Framer(counter, new TransportPools(), SEGMENT_BYTES_MAX);
  framer.headerDigest = digests.header;
  framer.dataDigest = digests.data;
  return {
    name,
    operations: pdus,
    // What lies whole in the chunk is handed on as it is, and no byte of its data is looked at.
    ...(isTouched ? { bytes: stream.length / pdus } : {}),
    expected: pdus * (1 + dataBytes),
    run: () => {
      counter.pdus = 0;
      counter.bytes = 0;
      receive(framer, stream, chunkBytes);
      return counter.pdus + counter.bytes;
    },
  };
}

export const framingBench: MicroBench = {
  name: "framing",
  about: "cutting what was received into PDUs, with digests and without",
  prepare: () => ({ cases: STREAMS.map(caseOf) }),
};
