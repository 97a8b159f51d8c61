import type { BlockDevice } from "../../device/block-device.ts";
import { DelayFilter } from "../../device/delay-filter.ts";
import { MEMORY_DEVICE_BYTES_MAX } from "../../device/limits.ts";
import { MemoryDevice } from "../../device/memory-device.ts";
import { ReadOnlyFilter } from "../../device/read-only-filter.ts";
import { DeviceVolume } from "../device-volume.ts";
import { SpecReader } from "../spec.ts";
import {
  type DriverCapabilities,
  type VolumeDriver,
  VolumeError,
  type VolumeSpec,
} from "../volume-driver.ts";
import type { Volume } from "../volume.ts";

/** The volumes that were created and not deleted, by name. */
interface Known {
  readonly sizeBytes: number;
  /** The disk while it is open. */
  device: MemoryDevice | null;
}

const OPTIONS = ["delayMs"] as const;

/**
 * Disks in the memory of the daemon, for tests, measurements and scratch space. A volume is known from `create` to
 * `delete`; what is in it is gone when it is closed.
 *
 * Options: `delayMs`, which makes every operation take that much longer.
 */
export class MemoryDriver implements VolumeDriver {
  readonly kind = "memory";
  readonly capabilities: DriverCapabilities = {
    create: true,
    delete: true,
    resize: true,
    snapshot: false,
    rollback: false,
  };
  readonly #known = new Map<string, Known>();
  readonly #deviceOfVolume = new WeakMap<Volume, MemoryDevice>();

  create(spec: VolumeSpec): Promise<void> {
    return settled(() => {
      const sizeBytes = checkedSize(spec.name, new SpecReader(spec, OPTIONS).requiredSize());
      if (this.#known.has(spec.name)) {
        throw new VolumeError("exists", `volume ${spec.name}: it is there already`);
      }
      this.#known.set(spec.name, { sizeBytes, device: null });
    });
  }

  open(spec: VolumeSpec): Promise<Volume> {
    return settled(() => {
      const delayMs = new SpecReader(spec, OPTIONS).naturalNumber("delayMs");
      const known = this.#closedVolume(spec.name);
      const memory = new MemoryDevice(known.sizeBytes, spec.name);
      let device: BlockDevice = memory;
      if (spec.readOnly === true) device = new ReadOnlyFilter(device);
      if (delayMs > 0) device = new DelayFilter(device, delayMs);
      const volume = new MemoryVolume(
        { uuid: spec.uuid, name: spec.name, device, thin: true, persistent: false },
        () => (known.device = null),
      );
      known.device = memory;
      this.#deviceOfVolume.set(volume, memory);
      return volume;
    });
  }

  async resize(volume: Volume, sizeBytes: number, consentToShrink: boolean): Promise<void> {
    const device = this.#deviceOfVolume.get(volume);
    if (device === undefined) {
      throw new VolumeError("invalid", `volume ${volume.name}: it is not one of this driver's`);
    }
    checkedSize(volume.name, sizeBytes);
    if (sizeBytes < device.capacityBytes && !consentToShrink) {
      throw new VolumeError("invalid", `volume ${volume.name}: to shrink it loses data at its end`);
    }
    device.resize(sizeBytes);
    await volume.refresh();
  }

  delete(spec: VolumeSpec): Promise<void> {
    return settled(() => {
      this.#closedVolume(spec.name);
      this.#known.delete(spec.name);
    });
  }

  #closedVolume(name: string): Known {
    const known = this.#known.get(name);
    if (known === undefined) throw new VolumeError("missing", `volume ${name}: there is none`);
    if (known.device !== null) throw new VolumeError("busy", `volume ${name}: it is open`);
    return known;
  }
}

/** Tells the driver when it was closed. */
class MemoryVolume extends DeviceVolume {
  readonly #onClosed: () => void;

  constructor(options: ConstructorParameters<typeof DeviceVolume>[0], onClosed: () => void) {
    super(options);
    this.#onClosed = onClosed;
  }

  protected override released(): void {
    this.#onClosed();
  }
}

function checkedSize(name: string, sizeBytes: number): number {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes <= MEMORY_DEVICE_BYTES_MAX) {
    return sizeBytes;
  }
  const most = `at most ${MEMORY_DEVICE_BYTES_MAX} bytes`;
  throw new VolumeError("invalid", `volume ${name}: a memory volume has ${most}, not ${sizeBytes}`);
}

/** What an action gives or throws, as a promise. */
function settled<T>(action: () => T): Promise<T> {
  return Promise.resolve().then(action);
}
