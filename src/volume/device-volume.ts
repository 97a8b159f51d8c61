import type { BlockDevice } from "../device/block-device.ts";
import { assert } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { flush, type IoRequest } from "../util/io-request.ts";
import type { Volume, VolumeCapabilities, VolumeEvent, VolumeExtent } from "./volume.ts";

/** What a {@link DeviceVolume} is made from: a device, an identity, and what the device cannot know about itself. */
export interface DeviceVolumeOptions {
  readonly uuid: string;
  readonly name: string;
  /** The volume owns it: it closes it. */
  readonly device: BlockDevice;
  /** See {@link VolumeCapabilities}. */
  readonly thin: boolean;
  readonly persistent: boolean;
}

function capabilitiesOf({ device, thin, persistent }: DeviceVolumeOptions): VolumeCapabilities {
  const { traits } = device;
  return {
    writable: !traits.readOnly,
    thin,
    discardGranularityBytes: traits.readOnly ? 0 : traits.discardGranularityBytes,
    discardZeroes: traits.discardZeroes,
    extents: false,
    resizable: true,
    persistent,
    physicalBlockBytes: traits.physicalBlockBytes,
    optimalIoBytes: traits.optimalIoBytes,
    rotational: traits.rotational,
  };
}

/** A whole block device as a volume: what it says of itself is passed on, byte for byte. */
export class DeviceVolume implements Volume {
  readonly uuid: string;
  readonly name: string;
  readonly capabilities: VolumeCapabilities;
  readonly #device: BlockDevice;
  readonly #listeners = new Set<(event: VolumeEvent) => void>();
  /** As the listeners know it. */
  #capacityBytes: number;
  #isOpen = true;
  #closed: Promise<void> | null = null;

  constructor(options: DeviceVolumeOptions) {
    this.uuid = options.uuid;
    this.name = options.name;
    this.capabilities = capabilitiesOf(options);
    this.#device = options.device;
    this.#capacityBytes = options.device.capacityBytes;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#isOpen && this.#device.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#isOpen && this.#device.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  submit(request: IoRequest): void {
    if (this.#isOpen) this.#device.submit(request);
    else request.done(new IoError("gone", "the volume is closed", { object: this.name }));
  }

  extents(offsetBytes: number, lengthBytes: number, countMax: number): Promise<VolumeExtent[]> {
    assert(countMax > 0 && lengthBytes > 0, "extents are asked for a range");
    if (offsetBytes + lengthBytes > this.#capacityBytes) {
      const context = { object: this.name, offsetBytes };
      return Promise.reject(new IoError("range", "the range lies past the end", context));
    }
    return Promise.resolve([{ offsetBytes, lengthBytes, mapped: true }]);
  }

  async refresh(): Promise<void> {
    if (!this.#isOpen) return;
    const capacityBytes = await this.#device.refreshCapacity();
    if (!this.#isOpen || capacityBytes === this.#capacityBytes) return;
    this.#capacityBytes = capacityBytes;
    for (const listener of this.#listeners) listener("capacity-changed");
  }

  subscribe(listener: (event: VolumeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  /** For drivers that keep account: the device was let go. */
  protected released(): void {
    // Nothing to do for a volume that stands alone.
  }

  async #shutDown(): Promise<void> {
    this.#isOpen = false;
    this.#listeners.clear();
    try {
      if (this.capabilities.writable) await flush(this.#device);
    } finally {
      await this.#device.close();
      this.released();
    }
  }
}
