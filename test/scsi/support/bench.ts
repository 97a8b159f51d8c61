import { LogicalUnit, type LogicalUnitOptions } from "../../../src/scsi/logical-unit.ts";
import type { Nexus } from "../../../src/scsi/nexus.ts";
import { TargetDevice } from "../../../src/scsi/target-device.ts";
import type { VolumeCapabilities } from "../../../src/volume/volume.ts";
import { FakeTask } from "./fake-task.ts";
import { FakeVolume } from "./fake-volume.ts";

export const TARGET_NAME = "iqn.2026-01.io.thinlun:disk";
export const CAPACITY_BYTES = 1024 * 1024;

/** What a test may change about the unit at LUN 0. */
export interface BenchOptions extends Partial<Omit<LogicalUnitOptions, "volume" | "nowMs">> {
  readonly capacityBytes?: number;
  readonly capabilities?: Partial<VolumeCapabilities>;
}

/** Makes a CDB from hexadecimal digits; spaces are for the eye. */
export function cdb(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** What a command brings besides its CDB. */
export interface CommandOptions {
  readonly lun?: number;
  readonly nexus?: Nexus;
  readonly attribute?: number;
  readonly tag?: number;
  readonly dataOut?: Uint8Array;
  readonly expectedOutBytes?: number;
  readonly holdDataOut?: boolean;
  /** Otherwise what iSCSI gives: the CDB, padded to 16 bytes. */
  readonly cdbBytes?: number;
}

/** A target with one disk at LUN 0 and one nexus whose power-on attentions are taken. */
export class Bench {
  readonly volume: FakeVolume;
  readonly unit: LogicalUnit;
  readonly device: TargetDevice = new TargetDevice(TARGET_NAME);
  readonly nexus: Nexus;
  nowMs = 0;
  #tag = 0;

  constructor(options: BenchOptions = {}) {
    const {
      capacityBytes = CAPACITY_BYTES,
      capabilities = {},
      blockBytes = 512,
      ...rest
    } = options;
    this.volume = new FakeVolume(capacityBytes, capabilities);
    const nowMs = (): number => this.nowMs;
    this.unit = new LogicalUnit({ volume: this.volume, blockBytes, nowMs, ...rest });
    this.device.attach(0, this.unit);
    this.nexus = this.open("iqn.2026-01.io.example:one,i,0x000000000001");
  }

  /** A nexus that has seen its power-on attention. */
  open(initiatorPort: string, relativePortId: number = 1): Nexus {
    const nexus = this.device.openNexus({ initiatorPort, relativePortId });
    for (const unit of this.device.units.values()) nexus.takeAttention(unit);
    return nexus;
  }

  /** Sends a command; the task shows how far it came. */
  run(command: string | Uint8Array, options: CommandOptions = {}): FakeTask {
    const task = new FakeTask();
    const bytes = typeof command === "string" ? cdb(command) : command;
    task.nexus = options.nexus ?? this.nexus;
    task.lun = options.lun ?? 0;
    task.tag = options.tag ?? this.#tag++;
    task.attribute = options.attribute ?? 1;
    task.cdb.fill(0, 0, 16);
    task.cdb.set(bytes);
    task.cdbBytes = options.cdbBytes ?? Math.max(16, bytes.length);
    task.dataOut = options.dataOut ?? new Uint8Array(0);
    task.expectedOutBytes = options.expectedOutBytes ?? task.dataOut.length;
    task.holdDataOut = options.holdDataOut ?? false;
    this.device.dispatch(task);
    return task;
  }
}
