import { afterEach, describe, expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { CommandResult } from "../../src/initiator/command.ts";
import {
  cdb16,
  newCdb,
  read,
  readCapacity16,
  unmap,
  vitalProductData,
  write,
} from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import type { PoolRunSettings } from "../../src/thin/pool/pool-options.ts";
import { Pool } from "../../src/thin/pool/pool.ts";
import { getUint32BE, getUint64BE, setUint32BE } from "../../src/util/bytes.ts";
import { systemClock } from "../../src/util/clock.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { EngineDriver } from "../../src/volume/engine/engine-driver.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { InProcessTarget } from "../support/in-process-target.ts";
import { recordingLog } from "../support/recording-log.ts";

const MIB = 1024 * 1024;
const EXTENT = 64 * 1024;
const BLOCK = 512;
const EXTENT_BLOCKS = EXTENT / BLOCK;
const UUIDS = {
  pool: "0d0c3b74-5f4b-4a0e-8d1e-0c8e2a3f9b10",
  disk: "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c11",
  snapshot: "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c12",
};

const QUIET: Partial<PoolRunSettings> = { holdMs: 0, discardBytesPerSecond: 0 };

interface Place {
  readonly pool: Pool;
  readonly driver: EngineDriver;
  readonly volume: Volume;
  readonly target: InProcessTarget;
  readonly session: InitiatorSession;
}

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A thin disk of 1 GiB in a pool of 64 MiB, and an initiator that is logged in and has read its unit attentions. */
async function thinDisk(settings: Partial<PoolRunSettings> = {}): Promise<Place> {
  const device = new MemoryDevice(64 * MIB, "pool");
  const owner = await systemOwner();
  await formatPool([{ device, isZero: true }], {
    uuid: UUIDS.pool,
    extentBytes: EXTENT,
    settings: { name: "tank", overcommitMax: 0, thresholds: [] },
    randomBytes: systemRandomBytes,
    owner,
  });
  const pool = await Pool.open({
    devices: [device],
    owner,
    clock: systemClock,
    log: recordingLog([]),
    failureMark: { isSet: () => Promise.resolve(false), set: () => undefined },
    settings: { ...QUIET, ...settings },
  });
  ends.push(() => pool.close());
  const driver = new EngineDriver(() => ({ pool, rotational: false }));
  const spec = { name: "disk", uuid: UUIDS.disk, options: { pool: "tank" } };
  await driver.create({ ...spec, sizeBytes: 1024 * MIB });
  const volume = await driver.open(spec);
  ends.push(() => volume.close());
  const target = await InProcessTarget.start({ targets: [{ units: [{ volume }] }] });
  ends.push(() => target.close());
  const session = await target.connect();
  await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
  return { pool, driver, volume, target, session };
}

function at(lba: number, blocks: number) {
  return { lun: 0, lba, blocks, blockBytes: BLOCK };
}

function testUnitReady(session: InitiatorSession): Promise<CommandResult> {
  return session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
}

function senseOf({ status, sense }: CommandResult): string {
  if (status !== 2 || sense === undefined) return `status ${status}`;
  const codes = [sense.key, sense.additionalSenseCode, sense.additionalSenseCodeQualifier];
  return codes.map((code) => code.toString(16)).join("/");
}

/** [first block, blocks, mapped] of each descriptor. */
async function lbaStatus(
  session: InitiatorSession,
  lba: number,
): Promise<[number, number, boolean][]> {
  const cdb = cdb16(0x9e, lba, 0);
  cdb[1] = 0x12;
  setUint32BE(cdb, 10, 4096);
  const { dataIn, status } = await session.execute({ lun: 0, cdb, expectedInBytes: 4096 });
  expect(status).toBe(0);
  const runs: [number, number, boolean][] = [];
  const end = 4 + getUint32BE(dataIn, 0);
  for (let offset = 8; offset + 16 <= end; offset += 16) {
    const isMapped = ((dataIn[offset + 12] ?? 0) & 0x0f) === 0;
    runs.push([getUint64BE(dataIn, offset), getUint32BE(dataIn, offset + 8), isMapped]);
  }
  return runs;
}

/** Writes extent by extent until one fails, and returns how that ended. */
async function fill(session: InitiatorSession): Promise<CommandResult> {
  const data = Buffer.alloc(EXTENT, 1);
  for (let extent = 0; extent < 1024; extent += 1) {
    const cdb = cdb16(0x8a, extent * EXTENT_BLOCKS, EXTENT_BLOCKS);
    const result = await session.execute({ lun: 0, cdb, dataOut: data });
    if (result.status !== 0) return result;
  }
  throw new Error("a pool of 64 MiB took 64 MiB of data");
}

describe("a thin volume on the wire", () => {
  it("says that it is thin, in units of its extents, and that what is unmapped reads as zeros", async () => {
    const { session } = await thinDisk();
    expect((await readCapacity16(session, 0)).blocks).toBe((1024 * MIB) / BLOCK);
    const cdb = newCdb(16, 0x9e);
    cdb[1] = 0x10;
    cdb[13] = 32;
    const { dataIn } = await session.execute({ lun: 0, cdb, expectedInBytes: 32 });
    // LBPME, LBPRZ, and 8 logical blocks a physical one.
    expect([dataIn[13], (dataIn[14] ?? 0) & 0xc0]).toEqual([3, 0xc0]);
    const limits = await vitalProductData(session, 0, 0xb0);
    expect(getUint32BE(limits, 28)).toBe(EXTENT_BLOCKS);
    const provisioning = await vitalProductData(session, 0, 0xb2);
    // LBPU, LBPWS, LBPWS10, LBPRZ; thin provisioned.
    expect([(provisioning[5] ?? 0) & 0xe4, (provisioning[6] ?? 0) & 7]).toEqual([0xe4, 2]);
  });

  it("tells what is mapped, and forgets it by UNMAP", async () => {
    const { session, pool } = await thinDisk();
    const last = (1024 * MIB) / BLOCK;
    expect(await lbaStatus(session, 0)).toEqual([[0, last, false]]);
    await write(session, at(EXTENT_BLOCKS + 8, 8), Buffer.alloc(4096, 7));
    await write(session, at(2 * EXTENT_BLOCKS, 8), Buffer.alloc(4096, 8));
    expect(await lbaStatus(session, 0)).toEqual([
      [0, EXTENT_BLOCKS, false],
      [EXTENT_BLOCKS, 2 * EXTENT_BLOCKS, true],
      [3 * EXTENT_BLOCKS, last - 3 * EXTENT_BLOCKS, false],
    ]);
    expect(pool.usage().mappedBytes).toBe(2 * EXTENT);
    await unmap(session, at(EXTENT_BLOCKS, EXTENT_BLOCKS));
    expect(await lbaStatus(session, EXTENT_BLOCKS)).toEqual([
      [EXTENT_BLOCKS, EXTENT_BLOCKS, false],
      [2 * EXTENT_BLOCKS, EXTENT_BLOCKS, true],
      [3 * EXTENT_BLOCKS, last - 3 * EXTENT_BLOCKS, false],
    ]);
    const zeros = await read(session, at(EXTENT_BLOCKS, EXTENT_BLOCKS));
    expect(zeros.every((byte) => byte === 0)).toBe(true);
    expect((await read(session, at(2 * EXTENT_BLOCKS, 1)))[0]).toBe(8);
  });

  it("has zeros where less than an extent was unmapped, and the space of whole ones back", async () => {
    const { session, pool } = await thinDisk();
    await write(session, at(0, 3 * EXTENT_BLOCKS), Buffer.alloc(3 * EXTENT, 7));
    await unmap(session, at(8, 0));
    expect(pool.usage().mappedBytes).toBe(3 * EXTENT);
    await unmap(session, at(8, 2 * EXTENT_BLOCKS));
    expect(pool.usage().mappedBytes).toBe(2 * EXTENT);
    const data = await read(session, at(0, 3 * EXTENT_BLOCKS));
    const kept = data.map((byte, index) => (index % BLOCK === 0 ? byte : 0));
    expect(kept.filter((byte) => byte === 7)).toHaveLength(8 + EXTENT_BLOCKS - 8);
    expect([data[8 * BLOCK - 1], data[8 * BLOCK], data[2 * EXTENT + 8 * BLOCK]]).toEqual([7, 0, 7]);
  });

  it("gives space back for zeros that are written with WRITE SAME and UNMAP", async () => {
    const { session, pool } = await thinDisk();
    await write(session, at(0, 2 * EXTENT_BLOCKS), Buffer.alloc(2 * EXTENT, 7));
    const cdb = cdb16(0x93, 8, 2 * EXTENT_BLOCKS - 8);
    cdb[1] = 0x08;
    const result = await session.execute({ lun: 0, cdb, dataOut: Buffer.alloc(BLOCK) });
    expect(senseOf(result)).toBe("status 0");
    expect(pool.usage().mappedBytes).toBe(EXTENT);
    const data = await read(session, at(0, 2 * EXTENT_BLOCKS));
    expect(data.findLastIndex((byte) => byte !== 0)).toBe(8 * BLOCK - 1);
  });

  it("warns when the pool runs low (38h/07h)", async () => {
    const { session } = await thinDisk({ thresholds: [0.3] });
    await write(session, at(0, 64 * EXTENT_BLOCKS), Buffer.alloc(64 * EXTENT, 1));
    for (let extent = 64; extent < 320; extent += 64) {
      const range = at(extent * EXTENT_BLOCKS, 64 * EXTENT_BLOCKS);
      const cdb = cdb16(0x8a, range.lba, range.blocks);
      await session.execute({ lun: 0, cdb, dataOut: Buffer.alloc(64 * EXTENT, 1) });
    }
    let sense = "";
    while (sense !== "6/38/7") {
      const result = await testUnitReady(session);
      sense = senseOf(result);
      if (result.status === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(senseOf(await testUnitReady(session))).toBe("status 0");
  });

  it("asks for patience while a full pool may get space (04h/14h), and takes writes when it has", async () => {
    const { session, pool } = await thinDisk({ fullRetryMs: 3_600_000 });
    expect(senseOf(await fill(session))).toBe("2/4/14");
    expect((await read(session, at(0, 1)))[0]).toBe(1);
    await write(session, at(0, 8), Buffer.alloc(4096, 2));
    await unmap(session, at(0, 64 * EXTENT_BLOCKS));
    await pool.sync();
    const cdb = cdb16(0x8a, 1000 * EXTENT_BLOCKS, EXTENT_BLOCKS);
    const dataOut = Buffer.alloc(EXTENT, 3);
    let result = await session.execute({ lun: 0, cdb, dataOut });
    while (senseOf(result) === "2/4/14") result = await session.execute({ lun: 0, cdb, dataOut });
    expect(senseOf(result)).toBe("status 0");
    expect(await pool.check()).toEqual([]);
  });

  it("says in the end that there is no space (27h/07h), and goes on with what it has", async () => {
    const { session, pool } = await thinDisk({ fullRetryMs: 0 });
    expect(senseOf(await fill(session))).toBe("7/27/7");
    await write(session, at(0, 8), Buffer.alloc(4096, 2));
    expect((await read(session, at(0, 1)))[0]).toBe(2);
    expect(await pool.check()).toEqual([]);
  });

  it("tells of growth (2Ah/09h) and has zeros there", async () => {
    const { session, driver, volume } = await thinDisk();
    await driver.resize(volume, 2048 * MIB, false);
    expect(senseOf(await testUnitReady(session))).toBe("6/2a/9");
    expect((await readCapacity16(session, 0)).blocks).toBe((2048 * MIB) / BLOCK);
    const zeros = await read(session, at((2048 * MIB) / BLOCK - 8, 8));
    expect(zeros.every((byte) => byte === 0)).toBe(true);
  });

  it("is what its snapshot was after a rollback, and tells of it (28h/00h)", async () => {
    const { session, pool } = await thinDisk();
    await write(session, at(0, 8), Buffer.alloc(4096, 1));
    const source = pool.volume("disk");
    const [snapshot] = await pool.snapshot([{ source, name: "then", uuid: UUIDS.snapshot }]);
    if (snapshot === undefined) throw new Error("there is no snapshot");
    await write(session, at(0, 8), Buffer.alloc(4096, 2));
    await write(session, at(EXTENT_BLOCKS, 8), Buffer.alloc(4096, 2));
    expect(senseOf(await testUnitReady(session))).toBe("status 0");
    await pool.rollback(source, snapshot);
    expect(senseOf(await testUnitReady(session))).toBe("6/28/0");
    expect((await read(session, at(0, 1)))[0]).toBe(1);
    expect((await read(session, at(EXTENT_BLOCKS, 1)))[0]).toBe(0);
    expect(await pool.check()).toEqual([]);
  });
});
