import { allocationBench } from "./allocation.ts";
import { checkpointBench } from "./checkpoint.ts";
import { crc32cBench } from "./crc32c.ts";
import { framingBench } from "./framing.ts";
import { journalBench } from "./journal.ts";
import { mapBench } from "./map.ts";
import { pduBench } from "./pdu.ts";
import type { MicroBench } from "./runner.ts";
import { thinVolumeBench } from "./thin-volume.ts";

/** From the wire to the media. */
export const MICRO_BENCHES: readonly MicroBench[] = [
  crc32cBench,
  framingBench,
  pduBench,
  mapBench,
  allocationBench,
  journalBench,
  checkpointBench,
  thinVolumeBench,
];
