import { crc32c } from "../../../native-free/crc32c.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import {
  BASIC_HEADER_BYTES,
  DIGEST_BYTES,
  paddedBytes,
} from "../../../src/iscsi/pdu/basic-header.ts";

/** A PDU cut out of a stream. */
export interface PduBytes {
  /** Basic and additional headers. */
  readonly header: Buffer;
  /** The data segment without padding. */
  readonly data: Buffer;
  readonly padding: Buffer;
  readonly headerDigest: Buffer;
  readonly dataDigest: Buffer;
}

/** Which digests a stream has. */
export interface Digests {
  readonly header: boolean;
  readonly data: boolean;
}

/** Cuts a whole stream into PDUs, slowly and by the letter of RFC 7143 11.2. Throws where it does not come out even. */
export function cutPdus(stream: Buffer, digests: Digests): PduBytes[] {
  const pdus: PduBytes[] = [];
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > stream.length) throw new Error(`the stream ends within a PDU, at byte ${at}`);
    at += count;
    return Buffer.from(stream.subarray(at - count, at));
  };
  while (at < stream.length) {
    const basic = take(BASIC_HEADER_BYTES);
    const header = Buffer.concat([basic, take(basic.readUInt8(4) * 4)]);
    const headerDigest = take(digests.header ? DIGEST_BYTES : 0);
    const dataBytes = basic.readUIntBE(5, 3);
    const data = take(dataBytes);
    const padding = take(paddedBytes(dataBytes) - dataBytes);
    const dataDigest = take(digests.data && dataBytes !== 0 ? DIGEST_BYTES : 0);
    pdus.push({ header, data, padding, headerDigest, dataDigest });
  }
  return pdus;
}

function digestOf(bytes: Buffer): Buffer {
  const digest = Buffer.alloc(DIGEST_BYTES);
  digest.writeUInt32LE(crc32c(bytes, 0, bytes.length));
  return digest;
}

/** A PDU of random content, correct in its lengths and digests. */
export function makePdu(
  random: SeededRandom,
  dataBytes: number,
  additionalHeaderBytes: number,
  digests: Digests,
): Buffer {
  const header = random.bytes(BASIC_HEADER_BYTES + additionalHeaderBytes);
  header.writeUInt8(additionalHeaderBytes / 4, 4);
  header.writeUIntBE(dataBytes, 5, 3);
  const data = random.bytes(paddedBytes(dataBytes));
  const none = Buffer.alloc(0);
  return Buffer.concat([
    header,
    digests.header ? digestOf(header) : none,
    data,
    digests.data && dataBytes !== 0 ? digestOf(data) : none,
  ]);
}
