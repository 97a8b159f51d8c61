import type { Superblock } from "../../../../src/thin/format/superblock.ts";

const MIB = 1024 * 1024;

/** A UUID for tests, told apart by a number. */
export function testUuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** A superblock for tests: of a pool of one device of 64 MiB unless told otherwise. */
export function testSuperblock(changes: Partial<Superblock> = {}): Superblock {
  const devices = changes.devices ?? [{ uuid: testUuid(1), sizeBytes: 64 * MIB }];
  const deviceIndex = changes.deviceIndex ?? 0;
  return {
    features: { compat: 0, roCompat: 0, incompat: 0 },
    poolUuid: testUuid(100),
    deviceIndex,
    deviceUuid: devices[deviceIndex]?.uuid ?? testUuid(1),
    devices,
    extentBytes: 64 * 1024,
    needsCheck: false,
    readOnly: false,
    clean: true,
    generation: 2,
    epoch: 1,
    root: { block: 1, crc: 1 },
    checkpointSeq: 0,
    journal: { offsetBytes: 8 * MIB, blocks: 256 },
    owner: {
      hostId: testUuid(200),
      bootId: testUuid(201),
      nonce: testUuid(202),
      pid: 77,
      openedAtSeconds: 1_700_000_000,
      state: "clean",
    },
    poolName: "tank",
    ...changes,
  };
}
