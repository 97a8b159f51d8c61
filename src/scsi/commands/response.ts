import { assert } from "../../util/assert.ts";
import { setUint16BE, setUint24BE, setUint32BE, setUint64BE, setUint8 } from "../../util/bytes.ts";
import { LUN_BYTES } from "../lun.ts";
import { LUN_MAX } from "../limits.ts";
import type { Task } from "../task.ts";

/** The longest answer is REPORT LUNS with every LUN in use, and the well known one. */
const RESPONSE_BYTES_MAX = LUN_BYTES * (LUN_MAX + 3);

/**
 * Builds the parameter data of one command, front to back. `Task.returnData` copies at once, so that one buffer serves
 * all commands; every byte that is sent was written by the command that sends it.
 */
class ResponseBuilder {
  readonly bytes: Uint8Array = new Uint8Array(RESPONSE_BYTES_MAX);
  lengthBytes = 0;

  start(): this {
    this.lengthBytes = 0;
    return this;
  }

  #take(count: number): number {
    const at = this.lengthBytes;
    assert(at + count <= RESPONSE_BYTES_MAX, "a response fits its buffer");
    this.lengthBytes = at + count;
    return at;
  }

  uint8(value: number): this {
    setUint8(this.bytes, this.#take(1), value);
    return this;
  }

  uint16(value: number): this {
    setUint16BE(this.bytes, this.#take(2), value);
    return this;
  }

  uint24(value: number): this {
    setUint24BE(this.bytes, this.#take(3), value);
    return this;
  }

  uint32(value: number): this {
    setUint32BE(this.bytes, this.#take(4), value);
    return this;
  }

  uint64(value: number): this {
    setUint64BE(this.bytes, this.#take(8), value);
    return this;
  }

  zeros(count: number): this {
    const at = this.#take(count);
    this.bytes.fill(0, at, at + count);
    return this;
  }

  copy(source: Uint8Array): this {
    this.bytes.set(source, this.#take(source.length));
    return this;
  }

  /** UTF-8, at its own length. */
  text(text: string): this {
    return this.copy(Buffer.from(text, "utf8"));
  }

  /** ASCII, padded with spaces to the width of its field. */
  ascii(text: string, width: number): this {
    return this.copy(Buffer.from(text.padEnd(width).slice(0, width), "latin1"));
  }

  /** Fills with zeros up to `lengthBytes` in all. */
  padTo(lengthBytes: number): this {
    return this.zeros(lengthBytes - this.lengthBytes);
  }

  /** Sends what was built, cut to the ALLOCATION LENGTH (SPC-4 4.2.5.6), with GOOD status. */
  send(task: Task, allocationBytes: number): void {
    task.returnData(this.bytes, Math.min(this.lengthBytes, allocationBytes));
  }
}

/** The one builder: a handler starts it, fills it and sends it within one call. */
export const response: ResponseBuilder = new ResponseBuilder();
