import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { discard } from "../../../src/util/io-request.ts";
import { assert } from "../../../src/util/assert.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import { OverlayDevice } from "../../support/overlay-device.ts";
import type { DeviceLog, LogEntry } from "./device-log.ts";

const SECTOR_BYTES = 512;

/** What is left of what was not flushed. */
export type Loss =
  /** Nothing: each device has what its last flush covers. */
  | "all"
  /** Everything: the process was killed, and the page cache is there. */
  | "none"
  /** Each write is there, or not, or torn between sectors. */
  | "random";

/** Goes through a log once, and makes the devices as they may be after a loss of power at positions that only grow. */
export class Replay {
  readonly #log: DeviceLog;
  readonly #random: SeededRandom;
  readonly #stable: MemoryDevice[];
  /** By device: entries from here on are not on the stable image. */
  readonly #applied: number[];
  readonly #covered: number[];
  #position = 0;

  /** The devices' content where the log begins is all zeros. */
  constructor(log: DeviceLog, capacities: readonly number[], random: SeededRandom) {
    this.#log = log;
    this.#random = random;
    this.#stable = capacities.map((bytes, index) => new MemoryDevice(bytes, `device${index}`));
    this.#applied = capacities.map(() => 0);
    this.#covered = capacities.map(() => 0);
  }

  /** The devices after the first `position` entries. */
  async cut(position: number, loss: Loss): Promise<OverlayDevice[]> {
    assert(position >= this.#position, "a log is replayed forwards");
    for (; this.#position < position; this.#position += 1) {
      const entry = this.#log.entries[this.#position];
      if (entry?.kind !== "flush") continue;
      const covered = this.#covered[entry.device] ?? 0;
      this.#covered[entry.device] = Math.max(covered, entry.covers);
    }
    const devices: OverlayDevice[] = [];
    for (const [device, stable] of this.#stable.entries()) {
      await this.#advance(device, stable);
      const cut = new OverlayDevice(stable);
      await this.#applySome(device, cut, loss);
      devices.push(cut);
    }
    return devices;
  }

  async #advance(device: number, stable: MemoryDevice): Promise<void> {
    const covered = this.#covered[device] ?? 0;
    for (let at = this.#applied[device] ?? 0; at < covered; at += 1) {
      const entry = this.#log.entries[at];
      if (entry !== undefined && entry.device === device) await apply(entry, stable);
    }
    this.#applied[device] = Math.max(covered, this.#applied[device] ?? 0);
  }

  async #applySome(device: number, cut: OverlayDevice, loss: Loss): Promise<void> {
    const isRandom = loss === "random";
    const isKept = isRandom
      ? this.#random.pick([0.05, 0.3, 0.5, 0.7, 0.95])
      : Number(loss === "none");
    const isTorn = isRandom ? this.#random.pick([0, 0.05, 0.3]) : 0;
    for (let at = this.#applied[device] ?? 0; at < this.#position; at += 1) {
      const entry = this.#log.entries[at];
      if (entry === undefined || entry.device !== device) continue;
      if (entry.kind === "write" && entry.isStable) await apply(entry, cut);
      else if (entry.kind === "write" && this.#random.chance(isTorn)) this.#tear(entry, cut);
      else if (this.#random.chance(isKept)) await apply(entry, cut);
    }
  }

  #tear({ offsetBytes, data }: LogEntry & { kind: "write" }, cut: OverlayDevice): void {
    const isPrefix = this.#random.chance(0.5);
    const end = this.#random.below(data.length);
    for (let at = 0; at < data.length; at += SECTOR_BYTES) {
      if (isPrefix ? at >= end : this.#random.chance(0.5)) continue;
      cut.tryWrite(data, at, Math.min(SECTOR_BYTES, data.length - at), offsetBytes + at);
    }
  }
}

async function apply(entry: LogEntry, device: MemoryDevice | OverlayDevice): Promise<void> {
  if (entry.kind === "write") {
    const { data, offsetBytes } = entry;
    assert(device.tryWrite(data, 0, data.length, offsetBytes), "a write lies on its device");
  } else if (entry.kind === "discard") {
    await discard(device, entry.offsetBytes, entry.lengthBytes);
  }
}
