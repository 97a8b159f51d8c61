import { IoKind, type IoRequest } from "../../util/io-request.ts";
import { IoError } from "../../util/io-error.ts";
import { assert } from "../../util/assert.ts";
import { SpecReader } from "../spec.ts";
import {
  type DriverCapabilities,
  type VolumeDriver,
  VolumeError,
  type VolumeSpec,
} from "../volume-driver.ts";
import type { Volume, VolumeCapabilities, VolumeExtent } from "../volume.ts";

/** What tgt's store of this kind has: 1 TiB. */
export const NULL_VOLUME_BYTES: number = 2 ** 40;

/** Transfers of this size are as good as any. */
const BLOCK_BYTES = 4096;

const CAPABILITIES: VolumeCapabilities = {
  writable: true,
  thin: true,
  discardGranularityBytes: BLOCK_BYTES,
  discardZeroes: true,
  extents: false,
  resizable: false,
  persistent: false,
  physicalBlockBytes: BLOCK_BYTES,
  optimalIoBytes: 0,
  rotational: false,
};

/**
 * Disks that take whatever is written and read as zeros, to measure everything else. tgt gives out its buffers as they are there; here
 * nobody reads what was in memory.
 */
export class NullDriver implements VolumeDriver {
  readonly kind = "null";
  readonly capabilities: DriverCapabilities = {
    create: false,
    delete: false,
    resize: false,
    snapshot: false,
    rollback: false,
  };

  create({ name }: VolumeSpec): Promise<void> {
    return refuse(name, "is there without being made");
  }

  open(spec: VolumeSpec): Promise<Volume> {
    return Promise.resolve().then(() => {
      const sizeBytes = new SpecReader(spec, []).requiredSize();
      return new NullVolume(spec.uuid, spec.name, sizeBytes, spec.readOnly === true);
    });
  }

  resize({ name }: Volume): Promise<void> {
    return refuse(name, "has a size that does not change");
  }

  delete({ name }: VolumeSpec): Promise<void> {
    return refuse(name, "is nowhere to be deleted");
  }
}

function refuse(name: string, why: string): Promise<never> {
  return Promise.reject(new VolumeError("unsupported", `volume ${name}: it ${why}`));
}

class NullVolume implements Volume {
  readonly uuid: string;
  readonly name: string;
  readonly capabilities: VolumeCapabilities;
  readonly capacityBytes: number;

  constructor(uuid: string, name: string, capacityBytes: number, readOnly: boolean) {
    this.uuid = uuid;
    this.name = name;
    this.capacityBytes = capacityBytes;
    this.capabilities = { ...CAPABILITIES, writable: !readOnly };
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (offsetBytes + lengthBytes > this.capacityBytes) return false;
    buffer.fill(0, bufferOffset, bufferOffset + lengthBytes);
    return true;
  }

  tryWrite(
    _buffer: Uint8Array,
    _bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.capabilities.writable && offsetBytes + lengthBytes <= this.capacityBytes;
  }

  submit(request: IoRequest): void {
    request.done(this.#carriedOut(request));
  }

  #carriedOut({ kind, offsetBytes, lengthBytes, buffers }: IoRequest): IoError | null {
    if (kind === IoKind.flush) return null;
    const context = { object: this.name, offsetBytes };
    if (offsetBytes + lengthBytes > this.capacityBytes) {
      return new IoError("range", "the range lies past the end", context);
    }
    if (kind === IoKind.read) for (const buffer of buffers) buffer.fill(0);
    else if (!this.capabilities.writable) {
      return new IoError("read-only", "the volume takes no writes", context);
    }
    return null;
  }

  extents(offsetBytes: number, lengthBytes: number, countMax: number): Promise<VolumeExtent[]> {
    assert(countMax > 0 && lengthBytes > 0, "extents are asked for a range");
    return Promise.resolve([{ offsetBytes, lengthBytes, mapped: true }]);
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): () => void {
    // Nothing ever happens to it.
    return () => undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
