import {
  nodeFileSystem,
  type CountCallback,
  type FileSystemCalls,
} from "../../src/device/file-system-calls.ts";

type Held = () => void;

/** The real calls, counted, and at a test's will held back, cut short or made to fail. */
export class ControlledCalls implements FileSystemCalls {
  reads = 0;
  writes = 0;
  syncs = 0;
  synchronousReads = 0;
  synchronousWrites = 0;
  /** The most bytes that one call moves. */
  bytesMax = Infinity;
  /** While true, asynchronous calls wait for {@link release}. */
  isHolding = false;
  /** The next calls of a kind fail with these codes, in order. */
  readonly readErrors: string[] = [];
  readonly writeErrors: string[] = [];
  readonly syncErrors: string[] = [];
  /** Descriptors that were written through. */
  readonly writtenTo = new Set<number>();
  readonly #held: Held[] = [];

  get heldCount(): number {
    return this.#held.length;
  }

  /** Lets so many of the calls that are held back go, the oldest first. */
  release(count: number = Infinity): void {
    for (const start of this.#held.splice(0, count)) start();
  }

  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, at: number): number {
    this.synchronousReads += 1;
    throwNext(this.readErrors);
    return nodeFileSystem.readSync(fd, buffer, offset, Math.min(length, this.bytesMax), at);
  }

  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, at: number): number {
    this.synchronousWrites += 1;
    throwNext(this.writeErrors);
    return nodeFileSystem.writeSync(fd, buffer, offset, Math.min(length, this.bytesMax), at);
  }

  read(fd: number, buffers: readonly Uint8Array[], at: number, done: CountCallback): void {
    this.reads += 1;
    this.#start(() => {
      const error = nextError(this.readErrors);
      if (error === null) nodeFileSystem.read(fd, shortened(buffers, this.bytesMax), at, done);
      else setImmediate(done, error, 0);
    });
  }

  write(fd: number, buffers: readonly Uint8Array[], at: number, done: CountCallback): void {
    this.writes += 1;
    this.writtenTo.add(fd);
    this.#start(() => {
      const error = nextError(this.writeErrors);
      if (error === null) nodeFileSystem.write(fd, shortened(buffers, this.bytesMax), at, done);
      else setImmediate(done, error, 0);
    });
  }

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    this.syncs += 1;
    this.#start(() => {
      const error = nextError(this.syncErrors);
      if (error === null) nodeFileSystem.fdatasync(fd, done);
      else setImmediate(done, error);
    });
  }

  fileSize(fd: number, done: CountCallback): void {
    nodeFileSystem.fileSize(fd, done);
  }

  #start(call: Held): void {
    if (this.isHolding) this.#held.push(call);
    else call();
  }
}

function nextError(codes: string[]): Error | null {
  const code = codes.shift();
  return code === undefined || code === "" ? null : Object.assign(new Error(code), { code });
}

function throwNext(codes: string[]): void {
  const error = nextError(codes);
  if (error !== null) throw error;
}

function shortened(buffers: readonly Uint8Array[], bytesMax: number): Uint8Array[] {
  const short: Uint8Array[] = [];
  let room = bytesMax;
  for (const buffer of buffers) {
    if (room > 0) short.push(buffer.subarray(0, room));
    room -= buffer.length;
  }
  return short;
}
