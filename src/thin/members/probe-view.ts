import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { readBytes } from "../../util/io-request.ts";
import { HEAD_BYTES, TAIL_BYTES } from "../format/layout.ts";

/** One read of a probe: a memory device and a disk both take it well, and others get their turn in between. */
const PIECE_BYTES: number = 1024 * 1024;

async function readPieces(
  device: BlockDevice,
  offsetBytes: number,
  lengthBytes: number,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let done = 0; done < lengthBytes; done += PIECE_BYTES) {
    const piece = Math.min(PIECE_BYTES, lengthBytes - done);
    pieces.push(await readBytes(device, offsetBytes + done, piece));
  }
  return Buffer.concat(pieces);
}

const ZEROS = Buffer.alloc(64 * 1024);

/** Compares piece by piece, since nearly all of it is zeros where there is anything to find at all. */
function firstNonZeroIn(bytes: Buffer): number {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const piece = bytes.subarray(start, start + ZEROS.length);
    if (piece.equals(ZEROS.subarray(0, piece.length))) continue;
    return start + piece.findIndex((byte) => byte !== 0);
  }
  return -1;
}

/**
 * The head and the tail of a device in memory: everything that a pool overwrites when it is made, and all places where
 * others keep their signatures.
 */
export class ProbeView {
  readonly sizeBytes: number;
  readonly #head: Buffer;
  readonly #tail: Buffer;

  /** Of a device that is shorter than both together, the parts overlap. */
  constructor(sizeBytes: number, head: Buffer, tail: Buffer) {
    assert(head.length <= sizeBytes && tail.length <= sizeBytes, "both parts lie on the device");
    this.sizeBytes = sizeBytes;
    this.#head = head;
    this.#tail = tail;
  }

  /** Reads some 10 MiB. @throws {IoError} the device cannot be read: then nobody knows what is on it */
  static async read(device: BlockDevice): Promise<ProbeView> {
    const sizeBytes = device.capacityBytes;
    const headBytes = Math.min(sizeBytes, HEAD_BYTES);
    const tailBytes = Math.min(sizeBytes, TAIL_BYTES);
    const head = await readPieces(device, 0, headBytes);
    const tail = await readPieces(device, sizeBytes - tailBytes, tailBytes);
    return new ProbeView(sizeBytes, head, tail);
  }

  /** A range of the device, or null where it is not wholly in one of the two parts. */
  bytes(offsetBytes: number, lengthBytes: number): Buffer | null {
    if (offsetBytes < 0 || offsetBytes + lengthBytes > this.sizeBytes) return null;
    if (offsetBytes + lengthBytes <= this.#head.length) {
      return this.#head.subarray(offsetBytes, offsetBytes + lengthBytes);
    }
    const inTail = offsetBytes - (this.sizeBytes - this.#tail.length);
    return inTail < 0 ? null : this.#tail.subarray(inTail, inTail + lengthBytes);
  }

  /** Whether the bytes there are these; false where they are not in view. */
  has(offsetBytes: number, magic: Uint8Array): boolean {
    const found = this.bytes(offsetBytes, magic.length);
    return found !== null && found.equals(magic);
  }

  /** Where the first byte is that is not zero, or -1. */
  firstNonZero(): number {
    const inHead = firstNonZeroIn(this.#head);
    if (inHead >= 0) return inHead;
    const inTail = firstNonZeroIn(this.#tail);
    return inTail < 0 ? -1 : this.sizeBytes - this.#tail.length + inTail;
  }
}
