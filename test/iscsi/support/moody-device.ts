import type { BlockDevice, DeviceTraits } from "../../../src/device/block-device.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IoError } from "../../../src/util/io-error.ts";
import type { IoRequest } from "../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../src/util/random.ts";

/** A memory disk that is resident now and then, completes within the turn, later or much later, and sometimes fails. */
export class MoodyDevice implements BlockDevice {
  readonly name: string = "moody";
  runningCount = 0;
  readonly #random: SeededRandom;
  readonly #memory: MemoryDevice;

  constructor(capacityBytes: number, random: SeededRandom) {
    this.#memory = new MemoryDevice(capacityBytes);
    this.#random = random;
  }

  get traits(): DeviceTraits {
    return this.#memory.traits;
  }

  get capacityBytes(): number {
    return this.#memory.capacityBytes;
  }

  tryRead(buffer: Uint8Array, at: number, lengthBytes: number, offsetBytes: number): boolean {
    if (this.#random.chance(0.4)) return false;
    return this.#memory.tryRead(buffer, at, lengthBytes, offsetBytes);
  }

  tryWrite(buffer: Uint8Array, at: number, lengthBytes: number, offsetBytes: number): boolean {
    if (this.#random.chance(0.4)) return false;
    return this.#memory.tryWrite(buffer, at, lengthBytes, offsetBytes);
  }

  submit(request: IoRequest): void {
    this.runningCount += 1;
    this.#later(request, this.#random.pick([0, 0, 1, 2, 5, 40]));
  }

  #later(request: IoRequest, turns: number): void {
    if (turns > 0) {
      setImmediate(() => this.#later(request, turns - 1));
      return;
    }
    this.runningCount -= 1;
    if (this.#random.chance(0.05)) {
      request.done(new IoError("medium", "a mood", { object: this.name }));
    } else {
      this.#memory.submit(request);
    }
  }

  refuseWrites(error: IoError): void {
    this.#memory.refuseWrites(error);
  }

  onFlushFailure(): () => void {
    return this.#memory.onFlushFailure();
  }

  refreshCapacity(): Promise<number> {
    return this.#memory.refreshCapacity();
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}
