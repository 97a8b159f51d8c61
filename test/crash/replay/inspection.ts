import type { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import type { Pool } from "../../../src/thin/pool/pool.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { readBytes } from "../../../src/util/io-request.ts";
import type { OverlayDevice } from "../../support/overlay-device.ts";
import { DrivenClock, openPool } from "./recorded-pool.ts";

const READ_BYTES = 256 * 1024;

const buffers = new Map<number, Buffer>();

/** Thousands of recoveries would keep the garbage collector busy with nothing else. */
function bufferOf(lengthBytes: number): Buffer {
  let buffer = buffers.get(lengthBytes);
  if (buffer === undefined) {
    buffer = Buffer.alloc(lengthBytes);
    buffers.set(lengthBytes, buffer);
  }
  return buffer;
}

/** A pool that was recovered from what a loss of power, or a kill, left. */
export class Inspection {
  readonly pool: Pool;
  readonly clock: DrivenClock;
  readonly #devices: readonly OverlayDevice[];

  private constructor(pool: Pool, clock: DrivenClock, devices: readonly OverlayDevice[]) {
    this.pool = pool;
    this.clock = clock;
    this.#devices = devices;
  }

  /** Recovers the pool and checks its bookkeeping. `isSameBoot`: the process was killed, and nothing else happened. */
  static async begin(devices: OverlayDevice[], isSameBoot: boolean): Promise<Inspection> {
    // Time stands still: the pool does nothing by itself.
    const clock = new DrivenClock(0);
    const pool = await openPool(devices, clock, isSameBoot ? 0 : 1);
    const problems = await clock.drive(pool.check());
    if (problems.length > 0) throw new Error(`check after recovery: ${problems.join("; ")}`);
    return new Inspection(pool, clock, devices);
  }

  /** As the tool finds it that reads what lies on the devices. */
  async checkDevices(): Promise<void> {
    const { isSound, findings } = await this.clock.drive(checkPool(this.#devices));
    if (!isSound) throw new Error(`pool check: ${JSON.stringify(findings)}`);
  }

  /** The whole volume; overwritten by the next one of its size. */
  async content(volume: ThinVolume): Promise<Buffer> {
    const content = bufferOf(volume.capacityBytes);
    for (let at = 0; at < content.length; at += READ_BYTES) {
      const length = Math.min(READ_BYTES, content.length - at);
      if (volume.tryRead(content, at, length, at)) continue;
      (await this.clock.drive(readBytes(volume, at, length))).copy(content, at);
    }
    return content;
  }

  /** The volume; undefined where there is none of the name. */
  find(name: string): ThinVolume | undefined {
    return this.pool.volumes().find(({ attributes }) => attributes.name === name);
  }
}
