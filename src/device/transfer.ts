import { assert } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { FileSystemCalls } from "./file-system-calls.ts";
import { ioErrorFrom } from "./system-error.ts";
import type { WriteStop } from "./write-stop.ts";

/** Told once for each request, when all its bytes are moved or none will be any more. */
export type TransferEnd = (transfer: Transfer, request: IoRequest, error: IoError | null) => void;

/**
 * Moves the bytes of one read or write at a time through the thread pool, in as many calls as the kernel's short
 * answers make it. Reused for request after request, so that none costs a closure.
 */
export abstract class Transfer {
  protected readonly calls: FileSystemCalls;
  readonly #name: string;
  readonly #end: TransferEnd;
  readonly #stop: WriteStop;
  #request: IoRequest | null = null;
  protected fd = -1;
  /** Bytes of the request that are done. */
  protected moved = 0;

  constructor(name: string, calls: FileSystemCalls, end: TransferEnd, stop: WriteStop) {
    this.#name = name;
    this.calls = calls;
    this.#end = end;
    this.#stop = stop;
  }

  start(request: IoRequest, fd: number): void {
    assert(this.#request === null, "a transfer serves one request at a time");
    assert(request.lengthBytes > 0, "a transfer moves something");
    let bufferBytes = 0;
    for (const buffer of request.buffers) bufferBytes += buffer.length;
    assert(bufferBytes === request.lengthBytes, "the buffers are as long as the request");
    this.#request = request;
    this.fd = fd;
    this.moved = 0;
    this.step(request);
  }

  /** Makes the next call for what is left, and later calls {@link advanced}. */
  protected abstract step(request: IoRequest): void;

  protected get request(): IoRequest {
    assert(this.#request !== null, "a running transfer has a request");
    return this.#request;
  }

  /** One call is done and moved `count` more bytes of the request. */
  protected advanced(error: Error | null, count: number): void {
    const request = this.request;
    if (error !== null || count <= 0) {
      this.#finish(request, this.#explain(request, error));
      return;
    }
    this.moved += count;
    assert(this.moved <= request.lengthBytes, "the kernel moves no more than it was asked to");
    if (this.moved === request.lengthBytes) this.#finish(request, null);
    else if (!this.isStopped()) this.step(request);
  }

  /** To be asked before each further call of a write: where the device takes no more of them, ends it and is true. */
  protected isStopped(): boolean {
    const { request } = this;
    const { error } = this.#stop;
    if (error === null || request.kind === IoKind.read) return false;
    this.#finish(request, error);
    return true;
  }

  #explain(request: IoRequest, error: Error | null): IoError {
    const reading = request.kind === IoKind.read;
    const offsetBytes = request.offsetBytes + this.moved;
    if (error !== null) {
      return ioErrorFrom(error, reading ? "a read" : "a write", this.#name, offsetBytes);
    }
    // The capacity was checked, so the end of the file has come nearer since.
    if (reading) {
      const message = "a read met the end of the file: it has shrunk";
      return new IoError("range", message, { object: this.#name, offsetBytes });
    }
    const message = "a write moved nothing, and the system gave no reason";
    return new IoError("medium", message, { object: this.#name, offsetBytes });
  }

  #finish(request: IoRequest, error: IoError | null): void {
    this.#request = null;
    this.#end(this, request, error);
  }
}

/** The part of `buffers` that follows the first `skipBytes`. */
export function remainder(buffers: readonly Uint8Array[], skipBytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = skipBytes;
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}

/** Through the page cache: straight between the kernel and the buffers of the request. */
export class BufferedTransfer extends Transfer {
  readonly #onCount = (error: Error | null, count: number): void => this.advanced(error, count);

  protected override step(request: IoRequest): void {
    const { buffers } = request;
    const rest = this.moved === 0 ? buffers : remainder(buffers, this.moved);
    const at = request.offsetBytes + this.moved;
    if (request.kind === IoKind.read) this.calls.read(this.fd, rest, at, this.#onCount);
    else this.calls.write(this.fd, rest, at, this.#onCount);
  }
}
