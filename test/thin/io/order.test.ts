import { describe, expect, it } from "vitest";
import { ChangePiece } from "../../../src/thin/io/change-piece.ts";
import { planData } from "../../../src/thin/io/data-plan.ts";
import { reportExtents } from "../../../src/thin/io/extent-report.ts";
import { PiecePool } from "../../../src/thin/io/piece-pool.ts";
import { fillExtent } from "../../../src/thin/io/filler.ts";
import { ReadJob } from "../../../src/thin/io/read-job.ts";
import { VolumeCore } from "../../../src/thin/io/volume-core.ts";
import { NO_LEAF } from "../../../src/thin/map/leaf-store.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { TestRequest } from "../../device/test-request.ts";
import { TestPool } from "./test-pool.ts";

const EXTENT = 65_536;

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe("in which order things happen", () => {
  it("appends no record before the data are written, and acknowledges after it (rule A)", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    pool.device.isHolding = true;
    const request = new TestRequest(IoKind.write, 0, [Buffer.alloc(4096, 1)]);
    volume.submit(request);
    await turns();
    expect([pool.device.held.length, pool.device.journalWrites]).toEqual([1, 0]);
    // The data arrive; the block of the journal is held back.
    const [data] = pool.device.held.splice(0);
    if (data !== undefined) data.done(null);
    await turns();
    expect([pool.device.journalWrites, request.doneCount]).toEqual([1, 0]);
    expect(volume.tryRead(Buffer.alloc(512), 0, 512, 0)).toBe(true);
    pool.device.letAll();
    await request.ended;
    expect(request.error).toBeNull();
    expect(volume.state.mappedExtents).toBe(1);
  });

  it("lets one of two first writes to an extent allocate (rule S)", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    const requests = [0, 4096].map(
      (offset) => new TestRequest(IoKind.write, offset, [Buffer.alloc(4096, 1)]),
    );
    for (const request of requests) volume.submit(request);
    await Promise.all(requests.map(({ ended }) => ended));
    expect(pool.kinds).toEqual(["map"]);
    expect(volume.state.mappedExtents).toBe(1);
  });

  it("keeps an extent while an earlier read is on its way (rule Q)", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    await writeBytes(volume, 0, Buffer.alloc(EXTENT, 1));
    const { freeExtents } = pool.state.space;
    pool.device.isSlow = true;
    const core = new VolumeCore(pool, volume.state);
    const read = new TestRequest(IoKind.read, 0, [Buffer.alloc(512)]);
    pool.device.isHolding = true;
    new ReadJob(core, () => undefined).start(read);
    const [held] = pool.device.held.splice(0);
    pool.device.isHolding = false;
    const unmap = new TestRequest(IoKind.discard, 0, EXTENT);
    volume.submit(unmap);
    await unmap.ended;
    await pool.settle();
    expect(pool.state.space.freeExtents).toBe(freeExtents);
    held?.done(null);
    await read.ended;
    expect(pool.state.space.freeExtents).toBe(freeExtents + 1);
  });

  it("holds writes back at a closed gate, in their order, and waits for those inside (rule N)", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    pool.device.isHolding = true;
    const before = new TestRequest(IoKind.write, 0, [Buffer.alloc(512, 1)]);
    volume.submit(before);
    let isClosed = false;
    const closing = volume.gate.close().then(() => {
      isClosed = true;
    });
    const after = [2, 3].map((byte) => {
      const request = new TestRequest(IoKind.write, EXTENT, [Buffer.alloc(512, byte)]);
      volume.submit(request);
      return request;
    });
    await turns();
    expect(isClosed).toBe(false);
    pool.device.letAll();
    await closing;
    expect([before.doneCount, volume.state.mappedExtents]).toEqual([1, 1]);
    volume.gate.open();
    await Promise.all(after.map(({ ended }) => ended));
    const read = Buffer.alloc(1);
    expect(volume.tryRead(read, 0, 1, EXTENT)).toBe(true);
    expect(read[0]).toBe(3);
  });

  it("fills and reports without the volume's own object", async () => {
    const pool = await TestPool.make({ isDirty: true });
    const volume = await pool.create(4 * EXTENT);
    await writeBytes(volume, 0, Buffer.alloc(512, 1));
    const core = new VolumeCore(pool, volume.state);
    expect(await fillExtent(core, 0)).toBe(true);
    expect(await reportExtents(core, 0, EXTENT, 1)).toEqual([
      { offsetBytes: 0, lengthBytes: EXTENT, mapped: true },
    ]);
  });

  it("holds an extent's lock from the decision to the record", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    await writeBytes(volume, 0, Buffer.alloc(512, 1));
    const core = new VolumeCore(pool, volume.state);
    const ended = new Promise((resolve) => {
      const owner = {
        whole: null,
        wholeOffset: 0,
        addData: () => undefined,
        kept: (view: Uint8Array) => view,
        recall: () => null,
        pieceDone: (_: ChangePiece, error: IoError | null) => resolve([error, mapped()]),
      };
      new ChangePiece(core).unmap(owner, 0, 1);
    });
    const mapped = (): number => volume.state.mappedExtents;
    expect([core.locks.isLocked(0), await fillExtent(core, 0)]).toEqual([true, false]);
    expect(await ended).toEqual([null, 0]);
    expect(core.locks.isLocked(0)).toBe(false);
  });

  it("plans nothing for zeros over a hole", async () => {
    const pool = await TestPool.make();
    const volume = await pool.create(4 * EXTENT);
    const core = new VolumeCore(pool, volume.state);
    const skipped: number[] = [];
    const unexpected = (): never => {
      throw new Error("nothing is planned");
    };
    const target = {
      core,
      pieces: new PiecePool(core),
      cursor: EXTENT + 512,
      dataEnd: 2 * EXTENT,
      forceUnitAccess: false,
      isOptional: false,
      isZeroData: (offset: number, length: number) =>
        offset === EXTENT + 512 && length === EXTENT - 512,
      skip: (length: number) => void skipped.push(length),
      started: unexpected,
      waitForLock: unexpected,
      waitForSpace: unexpected,
      waitForQuota: unexpected,
      fail: unexpected,
      whole: null,
      wholeOffset: 0,
      addData: unexpected,
      kept: unexpected,
      recall: unexpected,
      pieceDone: unexpected,
      operationDone: unexpected,
    };
    planData(target, 1, NO_LEAF);
    expect(skipped).toEqual([EXTENT - 512]);
  });
});
