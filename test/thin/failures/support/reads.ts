import { TAIL_BYTES } from "../../../../src/thin/format/layout.ts";
import { BLOCK } from "./bench.ts";
import type { LoggedDevice } from "./device-log.ts";

/** How often each block of 4 KiB of the device has been read, of those from `from` up to its tail. */
export function readsByBlock(device: LoggedDevice, from: number): Map<number, number> {
  const end = device.capacityBytes - TAIL_BYTES;
  const counts = new Map<number, number>();
  for (const { offsetBytes, lengthBytes } of device.reads) {
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += BLOCK) {
      if (at >= from && at < end) counts.set(at, (counts.get(at) ?? 0) + 1);
    }
  }
  return counts;
}
