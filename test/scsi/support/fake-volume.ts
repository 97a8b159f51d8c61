import { IoError, type IoErrorKind } from "../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import type {
  Volume,
  VolumeCapabilities,
  VolumeEvent,
  VolumeExtent,
} from "../../../src/volume/volume.ts";

const CAPABILITIES: VolumeCapabilities = {
  writable: true,
  thin: true,
  discardGranularityBytes: 4096,
  discardZeroes: true,
  extents: true,
  resizable: true,
  persistent: false,
  physicalBlockBytes: 4096,
  optimalIoBytes: 65_536,
  rotational: false,
};

/** What was submitted, for tests that look at it. */
export interface Submitted {
  readonly kind: IoKind;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly forceUnitAccess: boolean;
}

/**
 * A volume in memory that a test holds on strings: it can hold operations back, fail them, change its size. Touching a
 * byte outside the capacity is an error of the code under test and throws.
 */
export class FakeVolume implements Volume {
  readonly uuid: string = "6f1c2a34-9d7e-4b11-8a55-0c1d2e3f4a5b";
  readonly name: string = "fake";
  readonly capabilities: VolumeCapabilities;
  bytes: Buffer;
  /** Overrides what `bytes` says, for capacities that nobody has memory for. */
  pretendedCapacityBytes = -1;
  /** Submitted operations wait for `release`. */
  holding = false;
  /** Nothing is resident: `tryRead` and `tryWrite` promise nothing. */
  cold = false;
  /** Fails what is submitted from here on. */
  failing: IoErrorKind | null = null;
  extentList: VolumeExtent[] = [];
  readonly submitted: Submitted[] = [];
  readonly held: IoRequest[] = [];
  readonly #listeners: Set<(event: VolumeEvent) => void> = new Set();

  constructor(capacityBytes: number, capabilities: Partial<VolumeCapabilities> = {}) {
    this.bytes = Buffer.alloc(capacityBytes);
    this.capabilities = { ...CAPABILITIES, ...capabilities };
  }

  get capacityBytes(): number {
    return this.pretendedCapacityBytes === -1 ? this.bytes.length : this.pretendedCapacityBytes;
  }

  #check(offsetBytes: number, lengthBytes: number): void {
    const inside =
      Number.isSafeInteger(offsetBytes) &&
      Number.isSafeInteger(lengthBytes) &&
      offsetBytes >= 0 &&
      lengthBytes >= 0 &&
      offsetBytes + lengthBytes <= this.bytes.length;
    if (!inside) throw new Error(`outside the volume: ${offsetBytes}+${lengthBytes}`);
  }

  tryRead(buffer: Uint8Array, bufferOffset: number, lengthBytes: number, offset: number): boolean {
    this.#check(offset, lengthBytes);
    if (this.cold || this.failing !== null) return false;
    buffer.set(this.bytes.subarray(offset, offset + lengthBytes), bufferOffset);
    return true;
  }

  tryWrite(buffer: Uint8Array, bufferOffset: number, lengthBytes: number, offset: number): boolean {
    this.#check(offset, lengthBytes);
    if (this.cold || this.failing !== null) return false;
    this.bytes.set(buffer.subarray(bufferOffset, bufferOffset + lengthBytes), offset);
    return true;
  }

  submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes, forceUnitAccess } = request;
    if (kind !== IoKind.flush) this.#check(offsetBytes, lengthBytes);
    this.submitted.push({ kind, offsetBytes, lengthBytes, forceUnitAccess });
    if (this.holding) this.held.push(request);
    else this.#perform(request);
  }

  #perform(request: IoRequest): void {
    if (this.failing !== null) {
      const context = { object: this.name, offsetBytes: request.offsetBytes };
      request.done(new IoError(this.failing, "made to fail", context));
      return;
    }
    const { kind, lengthBytes } = request;
    let at = request.offsetBytes;
    if (kind === IoKind.read || kind === IoKind.write) {
      for (const buffer of request.buffers) {
        if (kind === IoKind.read) buffer.set(this.bytes.subarray(at, at + buffer.length));
        else this.bytes.set(buffer, at);
        at += buffer.length;
      }
      if (at !== request.offsetBytes + lengthBytes) throw new Error("buffers and length differ");
    } else if (kind !== IoKind.flush) {
      this.bytes.fill(0, at, at + lengthBytes);
    }
    request.done(null);
  }

  /** Performs the oldest operation that is held back. */
  release(): void {
    const request = this.held.shift();
    if (request === undefined) throw new Error("nothing is held back");
    this.#perform(request);
  }

  announce(event: VolumeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  resize(capacityBytes: number): void {
    const bytes = Buffer.alloc(capacityBytes);
    this.bytes.copy(bytes);
    this.bytes = bytes;
    this.announce("capacity-changed");
  }

  extents(): Promise<VolumeExtent[]> {
    if (this.failing !== null) {
      return Promise.reject(new IoError(this.failing, "made to fail", { object: this.name }));
    }
    return Promise.resolve(this.extentList);
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (event: VolumeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
