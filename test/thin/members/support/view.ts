import { HEAD_BYTES, TAIL_BYTES } from "../../../../src/thin/format/layout.ts";
import { ProbeView } from "../../../../src/thin/members/probe-view.ts";

/** A device's head and tail for tests, with bytes put in; everything else is zeros. */
export class TestView {
  readonly sizeBytes: number;
  readonly head: Buffer;
  readonly tail: Buffer;

  constructor(sizeBytes: number = 64 * 1024 * 1024) {
    this.sizeBytes = sizeBytes;
    this.head = Buffer.alloc(Math.min(sizeBytes, HEAD_BYTES));
    this.tail = Buffer.alloc(Math.min(sizeBytes, TAIL_BYTES));
  }

  /** Text is taken as a byte for each character. */
  put(offsetBytes: number, content: string | Uint8Array): this {
    const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    if (offsetBytes < this.head.length) this.head.set(bytes, offsetBytes);
    const inTail = offsetBytes - (this.sizeBytes - this.tail.length);
    if (inTail >= 0) this.tail.set(bytes, inTail);
    return this;
  }

  erase(offsetBytes: number, lengthBytes: number): void {
    this.put(offsetBytes, Buffer.alloc(lengthBytes));
  }

  get view(): ProbeView {
    return new ProbeView(this.sizeBytes, this.head, this.tail);
  }
}
