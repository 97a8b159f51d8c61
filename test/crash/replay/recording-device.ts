import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import type { DeviceLog } from "./device-log.ts";

const TURNS_MAX = 4;

/**
 * Writes down what completes on a device, with its data. What is submitted takes some turns of the event loop, so that operations
 * overlap and overtake each other.
 */
export class RecordingDevice extends DeviceFilter {
  readonly #log: DeviceLog;
  readonly #device: number;
  readonly #random: SeededRandom;

  constructor(below: BlockDevice, log: DeviceLog, device: number, random: SeededRandom) {
    super(below, below.name);
    this.#log = log;
    this.#device = device;
    this.#random = random;
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (this.#random.chance(0.3)) return false;
    if (!this.below.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes)) return false;
    const data = Buffer.from(buffer.subarray(bufferOffset, bufferOffset + lengthBytes));
    this.#log.add({ kind: "write", device: this.#device, offsetBytes, data, isStable: false });
    return true;
  }

  override submit(request: IoRequest): void {
    const covers = this.#log.position;
    this.#after(this.#random.below(TURNS_MAX), () => {
      this.#note(request, covers);
      this.below.submit(request);
    });
  }

  #after(turns: number, action: () => void): void {
    if (turns === 0) action();
    else setImmediate(() => this.#after(turns - 1, action));
  }

  #note(request: IoRequest, covers: number): void {
    const { kind, offsetBytes, lengthBytes, buffers, forceUnitAccess: isStable } = request;
    const device = this.#device;
    if (kind === IoKind.write || kind === IoKind.writeZeroes) {
      const data = kind === IoKind.write ? Buffer.concat(buffers) : Buffer.alloc(lengthBytes);
      this.#log.add({ kind: "write", device, offsetBytes, data, isStable });
    } else if (kind === IoKind.discard) {
      this.#log.add({ kind: "discard", device, offsetBytes, lengthBytes });
    } else if (kind === IoKind.flush) {
      this.#log.add({ kind: "flush", device, covers });
    }
  }
}
