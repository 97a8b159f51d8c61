import type { IoError } from "../util/io-error.ts";
import type { IoRequest } from "../util/io-request.ts";
import type { BlockDevice, DeviceTraits } from "./block-device.ts";

/** Passes everything to the device below. A filter overrides what it changes, and closes what it stands on. */
export abstract class DeviceFilter implements BlockDevice {
  readonly name: string;
  protected readonly below: BlockDevice;

  constructor(below: BlockDevice, name: string) {
    this.below = below;
    this.name = name;
  }

  get traits(): DeviceTraits {
    return this.below.traits;
  }

  get capacityBytes(): number {
    return this.below.capacityBytes;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.below.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.below.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  submit(request: IoRequest): void {
    this.below.submit(request);
  }

  refuseWrites(error: IoError): void {
    this.below.refuseWrites(error);
  }

  onFlushFailure(listener: (error: IoError) => void): () => void {
    return this.below.onFlushFailure(listener);
  }

  refreshCapacity(): Promise<number> {
    return this.below.refreshCapacity();
  }

  close(): Promise<void> {
    return this.below.close();
  }
}
