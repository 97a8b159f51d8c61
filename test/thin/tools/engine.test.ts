import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { repairPool } from "../../../src/thin/tools/repair.ts";
import { appendRecord } from "../../../src/thin/log/promises.ts";
import { NO_EXTENT } from "../../../src/thin/format/geometry.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { attributesOf, copyOf, formatted, MIB, opened, ownerOf } from "../checkpoint/fixture.ts";
import { contentOf, exampleDevice, imageOf } from "./support/example-data.ts";

/** Does something once, before what begins at a place is read. */
class OnRead extends DeviceFilter {
  readonly #offsetBytes: number;
  #work: (() => Promise<void>) | null;

  constructor(below: BlockDevice, offsetBytes: number, work: () => Promise<void>) {
    super(below, below.name);
    this.#offsetBytes = offsetBytes;
    this.#work = work;
  }

  override tryRead(): boolean {
    return false;
  }

  override submit(request: IoRequest): void {
    const isMeant = request.kind === IoKind.read && request.offsetBytes >= this.#offsetBytes;
    const work = this.#work;
    if (work === null || !isMeant || request.offsetBytes >= 12 * MIB) {
      super.submit(request);
      return;
    }
    this.#work = null;
    void work().then(() => super.submit(request));
  }
}

const seed = chooseSeed(process.env);

describe(`tools and engine (THINLUN_SEED=${seed})`, () => {
  it("agree on a pool that the engine wrote, open and closed", async () => {
    const devices = await formatted([16 * MIB, 16 * MIB]);
    const { journal, state, checkpointer } = await opened(devices);
    await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
    const first = state.space.allocate(null, 8);
    expect(first).not.toBe(NO_EXTENT);
    const map = { kind: "map", volume: 1, lext: 3, phys: first, run: 1, safe: false } as const;
    await appendRecord(journal, map);
    await appendRecord(journal, {
      kind: "snapshot",
      source: 1,
      attributes: { ...attributesOf(2), name: "copy", isSnapshot: true, readOnly: true },
    });
    const open = await checkPool(devices);
    expect(open.findings).toEqual([]);
    expect(open.journal).toMatchObject({ blocks: 3, records: 3 });
    await checkpointer.run("asked");
    const later = await checkPool(devices);
    expect(later.findings).toEqual([]);
    expect(later.counts).toMatchObject({ volumes: 2, leaves: 1, dataExtents: 1, sharedExtents: 0 });
    await checkpointer.close();
    const closed = await checkPool(devices);
    expect(closed).toMatchObject({ isSound: true, wasClean: true, journal: { blocks: 0 } });
  });

  it("say when a journal ends before what was promised", async () => {
    const [device] = await formatted([16 * MIB]);
    const pool = await opened([device!], 1);
    const { journal, checkpointer, superblocks, state } = pool;
    await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
    await checkpointer.run("asked");
    const { checkpointSeq: older, journal: ring } = superblocks.last;
    await appendRecord(journal, { kind: "create", attributes: attributesOf(2) });
    await appendRecord(journal, { kind: "create", attributes: attributesOf(3) });
    const wipe = (on: MemoryDevice, offsetBytes: number, blocks: number): void =>
      void on.tryWrite(new Uint8Array(blocks * 4096), 0, blocks * 4096, offsetBytes);
    const save = (on: MemoryDevice, boot: number): ReturnType<typeof repairPool> => {
      const random = new SeededRandom(seed);
      return repairPool([on], {
        targets: [{ device: new MemoryDevice(40 * MIB, "new"), isZero: true }],
        uuid: "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff",
        randomBytes: (length) => random.bytes(length),
        owner: ownerOf(boot),
        bootId: ownerOf(boot).bootId,
      });
    };
    const at = ring.offsetBytes + (older + 1) * 4096;
    const gap = copyOf(device!);
    wipe(gap, at, 1);
    // A kill leaves no gap, a power loss may.
    expect((await save(gap, 1)).notes.join()).toContain("is broken: what follows is lost");
    expect((await save(gap, 2)).notes).toEqual([]);
    await checkpointer.run("asked");
    const { root, checkpointSeq } = superblocks.last;
    wipe(device!, at, checkpointSeq - older + 1);
    wipe(device!, state.addresses.offsetOf(0) + root.block * 4096, 1);
    await expect(opened([copyOf(device!)], 2)).rejects.toMatchObject({ kind: "corrupt" });
    const saved = await save(device!, 2);
    expect(saved.volumes.map(({ id }) => id)).toEqual([1]);
    expect(saved.notes.join()).toContain("is broken: what follows is lost");
  });

  it("agree on a pool that is opened again while it is checked", async () => {
    const [device] = await formatted([16 * MIB]);
    const pool = await opened([device!], 1);
    await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1) });
    let again: ReturnType<typeof opened> | null = null;
    // What was not covered is discarded, and the next epoch writes to its place in the ring.
    const open = async (): Promise<void> => {
      again = opened([device!], 2);
      const { journal } = await again;
      await appendRecord(journal, { kind: "create", attributes: attributesOf(1) });
    };
    const before = new OnRead(device!, 8 * MIB, open);
    const report = await checkPool([before]);
    expect(again).not.toBeNull();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ epoch: 3, restarts: 1, journal: { blocks: 1 } });
  });

  it("agree on a pool that a repair wrote", async () => {
    const random = new SeededRandom(seed);
    const target = { device: new MemoryDevice(40 * MIB, "new"), isZero: true };
    await repairPool([await exampleDevice()], {
      targets: [target],
      uuid: "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff",
      randomBytes: (length) => random.bytes(length),
      owner: ownerOf(1),
      bootId: ownerOf(1).bootId,
    });
    const { state, report, checkpointer } = await opened([target.device]);
    expect(report).toMatchObject({ generation: 2, wasClean: true, replayed: 0, fellBack: false });
    const [volume] = state.volumes.values();
    expect(volume?.attributes.name).toBe("data");
    expect(volume?.mappedExtents).toBe(4);
    await checkpointer.close();
    expect((await checkPool([target.device])).findings).toEqual([]);
    expect(await contentOf(await imageOf([target.device]))).toEqual({
      data: "0=17 1=18 2=21 9=20,19,20",
    });
  });
});
