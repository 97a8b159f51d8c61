import type { VolumeReport } from "../../src/control/protocol.ts";

export const GIB: number = 1024 ** 3;

/** A snapshot as the daemon reports it. */
export const SNAPSHOT: VolumeReport = {
  pool: "tank",
  name: "monday",
  uuid: "u2",
  sizeBytes: 4 * GIB,
  mappedBytes: GIB,
  ownedBytes: 0,
  reservedBytes: 0,
  quotaBytes: 0,
  readOnly: true,
  isSnapshot: true,
  origin: "disk",
  createdAt: "2026-11-23T06:15:09.000Z",
  isServed: false,
};
