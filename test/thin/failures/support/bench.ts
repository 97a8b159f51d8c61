import { MemoryDevice } from "../../../../src/device/memory-device.ts";
import type { BlockDevice } from "../../../../src/device/block-device.ts";
import type { ThinVolume } from "../../../../src/thin/io/thin-volume.ts";
import type { PoolRunSettings } from "../../../../src/thin/pool/pool-options.ts";
import { flush, readBytes, writeBytes } from "../../../../src/util/io-request.ts";
import { MIB, PoolBench } from "../../pool/support/pool-bench.ts";
import { DeviceLog, LoggedDevice } from "./device-log.ts";

export const BLOCK = 4096;
const OTHER_BOOT = "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a12";

/** A pool on devices that log, and the log. */
export interface LoggedBench {
  readonly bench: PoolBench;
  readonly log: DeviceLog;
}

export async function loggedBench(
  options: {
    readonly sizesMib?: readonly number[];
    readonly isZero?: boolean;
    readonly settings?: Partial<PoolRunSettings>;
    /** What is on the devices before. */
    readonly garbage?: number;
  } = {},
): Promise<LoggedBench> {
  const log = new DeviceLog();
  const devices = (options.sizesMib ?? [24]).map((mib, index) => {
    const device = new MemoryDevice(mib * MIB, `disk${index}`);
    if (options.garbage !== undefined) soil(device, options.garbage);
    return new LoggedDevice(device, log);
  });
  const { isZero = options.garbage === undefined, settings = {} } = options;
  const bench = await PoolBench.make({ devices, isZero, settings });
  return { bench, log };
}

/** Fills a device. */
export function soil(device: MemoryDevice, byte: number): void {
  const piece = Buffer.alloc(MIB, byte);
  for (let at = 0; at < device.capacityBytes; at += MIB) device.tryWrite(piece, 0, MIB, at);
}

/** The pool after a crash, on copies of its devices. */
export async function reopened(
  devices: BlockDevice[],
  isPowerLoss: boolean,
  settings: Partial<PoolRunSettings> = {},
): Promise<PoolBench> {
  const bench = new PoolBench(devices, settings);
  if (isPowerLoss) bench.bootId = OTHER_BOOT;
  await bench.open();
  return bench;
}

/** Blocks of 4 KiB of a volume, from a block on, each full of its byte. */
export async function writeBlocks(
  bench: PoolBench,
  volume: ThinVolume,
  block: number,
  bytes: readonly number[],
): Promise<void> {
  const data = Buffer.concat(bytes.map((byte) => Buffer.alloc(BLOCK, byte)));
  await bench.drive(writeBytes(volume, block * BLOCK, data));
}

/** The byte of each block; -1 where a block is not of one byte. */
export async function readBlocks(
  bench: PoolBench,
  volume: ThinVolume,
  block: number,
  count: number,
): Promise<number[]> {
  const data = await bench.drive(readBytes(volume, block * BLOCK, count * BLOCK));
  return Array.from({ length: count }, (_, index) => {
    const piece = data.subarray(index * BLOCK, (index + 1) * BLOCK);
    const [byte = 0] = piece;
    return piece.equals(Buffer.alloc(BLOCK, byte)) ? byte : -1;
  });
}

export function flushed(bench: PoolBench, volume: ThinVolume): Promise<void> {
  return bench.drive(flush(volume));
}
