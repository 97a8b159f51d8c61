import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { checkPage, sealPage } from "../../../src/thin/format/page.ts";
import {
  decodeVolumesPage,
  encodeVolumesPage,
  type VolumeRecord,
} from "../../../src/thin/format/volume-record.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { ExtentPlaces } from "../../../src/thin/tools/extent-places.ts";
import { scanPages } from "../../../src/thin/tools/page-scan.ts";
import { type RepairReport, repairPool } from "../../../src/thin/tools/repair.ts";
import { writePool } from "../../../src/thin/tools/write-pool.ts";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { EXAMPLE_POOL, exampleSuperblock } from "../format/support/example-pool.ts";
import { contentOf, destroy, exampleDevice, imageOf, offsetOf } from "./support/example-data.ts";

const seed = chooseSeed(process.env);
const MIB = 2 ** 20;
const NEW_POOL = "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff";
const { owner } = exampleSuperblock({ block: 1, crc: 1 });
const OTHER_BOOT = "b0071d00-0000-4000-8000-0000000000ff";

/** What the example holds at its checkpoint. */
const AT_CHECKPOINT = { data: "0=17 1=18 9=20,19,20", "data@mon": "0=17 1=18 9=19" };
/** ... and after its journal. */
const AFTER_JOURNAL = { data: "0=17 1=18 2=21 9=20,19,20" };

interface Saved {
  readonly report: RepairReport;
  readonly content: Record<string, string>;
}

async function save(device: BlockDevice, bootId: string = owner.bootId): Promise<Saved> {
  const random = new SeededRandom(seed);
  const targets = [
    { device: new MemoryDevice(32 * MIB, "new 0"), isZero: true },
    { device: new MemoryDevice(40 * MIB, "new 1"), isZero: false },
  ];
  const options = { uuid: NEW_POOL, randomBytes: (length: number) => random.bytes(length), owner };
  const report = await repairPool([device], { ...options, targets, bootId });
  const devices = targets.map((target) => target.device);
  const check = await checkPool(devices);
  expect(check.findings).toEqual([]);
  expect(check).toMatchObject({ isSound: true, wasClean: true, generation: 2, epoch: 2 });
  return { report, content: await contentOf(await imageOf(devices)) };
}

describe(`the repair of a pool (THINLUN_SEED=${seed})`, () => {
  it("copies a whole pool with its journal, and leaves it as it is", async () => {
    const device = await exampleDevice();
    expect(await contentOf(await imageOf([device]))).toEqual(AT_CHECKPOINT);
    const before = await readBytes(device, 0, device.capacityBytes);
    for (const boot of [owner.bootId, OTHER_BOOT]) {
      const { report, content } = await save(device, boot);
      expect(content).toEqual(AFTER_JOURNAL);
      expect(report).toMatchObject({ source: "checkpoint", replayedRecords: 2, notes: [] });
      expect(report.volumes).toEqual([
        { id: 1, name: "data", sizeBytes: 1024 * MIB, mappedExtents: 4 },
      ]);
    }
    expect(before.equals(await readBytes(device, 0, device.capacityBytes))).toBe(true);
  });

  it("drops after a power loss what no barrier covers and is not safe", async () => {
    const device = await exampleDevice();
    await destroy(device, ["journal block 43"]);
    const killed = await save(device);
    expect(killed.content).toEqual(AFTER_JOURNAL);
    const powerLoss = await save(device, OTHER_BOOT);
    expect(powerLoss.content).toEqual({ ...AT_CHECKPOINT, ...AFTER_JOURNAL });
    expect(powerLoss.report).toMatchObject({ replayedRecords: 1, discardedRecords: 1 });
  });

  it.each([
    ["the root", ["root"]],
    ["the directory", ["root", "directory"]],
    ["all nodes", ["node of data", "node of data@mon"]],
  ])("finds the volumes by a scan when %s is lost", async (_, titles) => {
    const device = await exampleDevice();
    await destroy(device, titles);
    const { report, content } = await save(device);
    expect(report.source).toBe("scan");
    if (!titles.includes("node of data")) expect(content).toEqual(AT_CHECKPOINT);
    // Both volumes' leaves were written by the first one: without its node, the snapshot cannot be told from it.
    expect(content["data"]).toBe(AT_CHECKPOINT.data);
  });

  it("takes an older page for one that is lost, and says so", async () => {
    const device = await exampleDevice();
    await destroy(device, ["leaf of data"]);
    const { report, content } = await save(device);
    expect(content["data"]).toBe(AT_CHECKPOINT["data@mon"]);
    expect(report.notes.join("\n")).toContain('leaf 0 of volume "data": taken as of generation 4');
  });

  it("makes up names for maps without a volume", async () => {
    const device = await exampleDevice();
    await destroy(device, ["root", "volumes"]);
    const { report, content } = await save(device);
    expect(content).toEqual({ "recovered-1": AT_CHECKPOINT.data });
    expect(report.notes.join("\n")).toContain("volume 1 has lost its name");
  });

  it("makes no pool that cannot be opened of pages that are whole and say what cannot be", async () => {
    const device = await exampleDevice();
    await destroy(device, ["root"]);
    const at = offsetOf("volumes");
    const page = await readBytes(device, at, 4096);
    const header = checkPage(page, EXAMPLE_POOL, { block: (at - 9 * MIB) / 4096 });
    const records = decodeVolumesPage(page);
    if (isFault(header) || isFault(records)) throw new Error("the example is not whole");
    const [{ attributes }] = records as [VolumeRecord];
    const twins = records.map((record) => ({
      ...record,
      attributes: { ...record.attributes, uuid: attributes.uuid },
    }));
    encodeVolumesPage(page, twins);
    sealPage(page, EXAMPLE_POOL, header);
    await writeBytes(device, at, page);
    const { report, content } = await save(device);
    expect(content).toEqual(AT_CHECKPOINT);
    expect(report.notes.join()).toContain("volume 2 gets another");
  });

  it("goes on past data that cannot be read", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const at = 9 * MIB + 18 * 65_536;
    device.setRules([{ error: "medium", startBytes: at, endBytes: at + 4096 }]);
    const { report, content } = await save(device);
    expect(content["data"]).toBe("0=17 1=0 2=21 9=20,19,20");
    expect(report.lostExtents).toBe(1);
    expect(report.notes.join("\n")).toContain("extent 18 is lost");
  });

  it("goes on past places of the journal that cannot be read, and says what is lost", async () => {
    const device = new ErrorFilter(await exampleDevice());
    const bad = (from: number, blocks = 1): void =>
      device.setRules([{ error: "medium", startBytes: from, endBytes: from + blocks * 4096 }]);
    bad(offsetOf("journal block 43") + 10 * 4096);
    const nowhere = await save(device);
    expect(nowhere.content).toEqual(AFTER_JOURNAL);
    expect(nowhere.report.notes).toEqual([]);
    bad(offsetOf("journal block 43"));
    const atTheEnd = await save(device);
    expect(atTheEnd.content).toEqual(AFTER_JOURNAL);
    expect(atTheEnd.report.notes.join()).toContain("journal block 43 cannot be read");
    expect((await save(device, OTHER_BOOT)).report).toMatchObject({ discardedRecords: 1 });
    bad(offsetOf("journal block 42"));
    const lost = await save(device);
    expect(lost.content).toEqual(AT_CHECKPOINT);
    expect(lost.report.notes.join()).toMatch(/block 42 cannot be read.*block 42 is broken/);
    bad(8 * MIB, 256);
    const none = await save(device);
    expect(none.content).toEqual(AT_CHECKPOINT);
    expect(none.report.notes.join()).toContain("the journal cannot be read: the volumes are as of");
  });

  it("refuses to write to the pool itself, or to less space than is needed", async () => {
    const device = await exampleDevice();
    const random = new SeededRandom(seed);
    const options = {
      randomBytes: (length: number) => random.bytes(length),
      owner,
      bootId: OTHER_BOOT,
    };
    const fresh = { device: new MemoryDevice(32 * MIB, "new"), isZero: true };
    await expect(
      repairPool([device], { ...options, uuid: NEW_POOL, targets: [{ device, isZero: false }] }),
    ).rejects.toMatchObject({ kind: "invalid" });
    await expect(
      repairPool([device], { ...options, uuid: EXAMPLE_POOL, targets: [fresh] }),
    ).rejects.toMatchObject({ kind: "invalid" });
    const image = await imageOf([device]);
    for (const [index, leaf] of [...(image.volumes.get(1)?.leaves.values() ?? [])].entries()) {
      leaf.words.forEach((_, slot) => (leaf.words[slot] = 1 + slot + index));
    }
    await expect(
      writePool(image, { ...options, uuid: NEW_POOL, targets: [fresh] }),
    ).rejects.toMatchObject({ kind: "space" });
  });
});

describe("a scan for pages", () => {
  it("takes those that lie where they say, and no copies", async () => {
    const device = await exampleDevice();
    const root = await readBytes(device, offsetOf("root"), 4096);
    await writeBytes(device, 9 * MIB + 40 * 65_536, root);
    const segments = [{ device: 0, offsetBytes: 9 * MIB, extents: 848, virginFrom: 0 }];
    const places = new ExtentPlaces(65_536, segments, [device]);
    const shares: number[] = [];
    const pages = await scanPages(places, EXAMPLE_POOL, (done, total) => shares.push(done / total));
    expect(pages.count).toBe(9);
    expect(pages.newest(1, 0, 0, 0)?.header.block).toBe(1);
    expect(pages.newestOf(5).map(({ header }) => header.generation)).toEqual([5]);
    expect(shares.at(-1)).toBe(1);
  });
});
