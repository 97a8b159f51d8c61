import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withSettings } from "../../../src/control/operations/lun-settings.ts";
import {
  inquiry,
  readCapacity16,
  testUnitReady,
  vitalProductData,
  write,
} from "../../../src/initiator/scsi.ts";
import { lunConfig, targetConfig, thinConfig } from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";
import { DISK, DaemonBench } from "./support/daemon-bench.ts";

const OTHER = "iqn.2026-11.net.example:other";
const SECTOR = { lun: 0, lba: 0, blocks: 1, blockBytes: 512 };
/** VPD pages: block limits, block device characteristics. */
const [LIMITS, CHARACTERISTICS] = [0xb0, 0xb1];

const EVERYTHING = {
  readOnly: true,
  online: true,
  blockBytes: 4096,
  vendor: "ACME",
  product: "DISK",
  revision: "7",
  serial: "s1",
  removable: true,
  writeCache: false,
  softwareWriteProtect: true,
  descriptorSense: true,
  thinProvisioning: false,
  physicalBlockExponent: 2,
  lowestAlignedLba: 3,
  optimalGranularityBlocks: 8,
  optimalTransferBlocks: 64,
  rotationRate: 7200,
};

const NOTHING = {
  readOnly: false,
  online: true,
  blockBytes: 512,
  vendor: null,
  product: null,
  revision: null,
  serial: null,
  removable: false,
  writeCache: true,
  softwareWriteProtect: false,
  descriptorSense: false,
  thinProvisioning: true,
  physicalBlockExponent: null,
  lowestAlignedLba: 0,
  optimalGranularityBlocks: null,
  optimalTransferBlocks: null,
  rotationRate: null,
};

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
  await bench.makePool("a");
});

afterEach(() => bench.dispose());

const set = (settings: object, lun = 0) =>
  bench.attempt("lun/set", { target: DISK, lun, ...settings });
const map = (settings: object = {}) =>
  bench.attempt("target/map", { target: DISK, volume: "tank/a", ...settings });

async function rotationRate(): Promise<number> {
  const page = await vitalProductData(await bench.login(), 0, CHARACTERISTICS);
  return (page[4]! << 8) | page[5]!;
}

describe("settings of LUNs", () => {
  it("come with the map, and are there after a restart", async () => {
    expect(await map(EVERYTHING)).toMatchObject(EVERYTHING);
    const session = await bench.login();
    expect(await inquiry(session, 0)).toMatchObject({ vendor: "ACME", product: "DISK" });
    expect((await readCapacity16(session, 0)).blockBytes).toBe(4096);
    expect(await rotationRate()).toBe(7200);
    await bench.restart();
    expect((await bench.run("lun/list", {}))[0]).toMatchObject(EVERYTHING);
    expect(await rotationRate()).toBe(7200);
  });

  it("are this program's own where nobody says anything", async () => {
    expect(await map()).toMatchObject(NOTHING);
    expect(await rotationRate()).toBeLessThanOrEqual(1);
  });

  it("change while initiators are logged in, one by one", async () => {
    await map();
    const session = await bench.login();
    await testUnitReady(session, 0);
    expect(await set({ rotationRate: 5400, removable: true })).toMatchObject({
      ...NOTHING,
      rotationRate: 5400,
      removable: true,
    });
    expect(await set({ readOnly: true, writeCache: false })).toMatchObject({
      rotationRate: 5400,
      removable: true,
      writeCache: false,
      readOnly: true,
    });
    expect(await rotationRate()).toBe(5400);
    await session.execute({ lun: 0, cdb: new Uint8Array(6) });
    await expect(write(session, SECTOR, new Uint8Array(512))).rejects.toThrow(/protect/i);
    await set({ readOnly: false, rotationRate: null, optimalGranularityBlocks: 32 });
    expect(await rotationRate()).toBeLessThanOrEqual(1);
    const limits = await vitalProductData(await bench.login(), 0, LIMITS);
    expect((limits[6]! << 8) | limits[7]!).toBe(32);
    expect(session.closed).toBe(null);
    await set({ online: false });
    await expect(testUnitReady(await bench.login(), 0)).rejects.toThrow();
    expect(await set({ online: true })).toMatchObject({ online: true });
  });

  it("make another disk only where nobody is logged in", async () => {
    await map();
    const session = await bench.login();
    for (const other of [{ blockBytes: 4096 }, { serial: "other" }]) {
      await expect(set(other)).rejects.toMatchObject({
        kind: "busy",
        message: expect.stringContaining("log them out first"),
      });
    }
    // One that is logged out from here would be back at once.
    await session.logout();
    await expect.poll(async () => (await bench.run("session/list", {})).length).toBe(0);
    expect(await set({ blockBytes: 4096, vendor: "ACME" })).toMatchObject({
      blockBytes: 4096,
      vendor: "ACME",
    });
    const again = await bench.login();
    expect((await readCapacity16(again, 0)).blockBytes).toBe(4096);
    expect(await inquiry(again, 0)).toMatchObject({ vendor: "ACME" });
  });

  it("are the same wherever the volume is a LUN", async () => {
    await bench.run("target/create", { name: OTHER });
    await map({ rotationRate: 7200 });
    const twin = await bench.run("target/map", { target: OTHER, volume: "tank/a", lun: 4 });
    expect(twin.rotationRate).toBe(7200);
    await set({ rotationRate: 5400, vendor: "ACME" });
    expect(
      (await bench.run("lun/list", {})).map(({ lun, rotationRate: rate, vendor }) => [
        lun,
        rate,
        vendor,
      ]),
    ).toEqual([
      [0, 5400, "ACME"],
      [4, 5400, "ACME"],
    ]);
  });

  it("are refused as a whole, and the argument is named", async () => {
    await map();
    for (const [settings, kind, complaint] of [
      [{}, "invalid", "nothing is to be changed"],
      [{ removable: true, rotationRate: 5 }, "invalid", "rotationRate: 5"],
      [{ removable: true, physicalBlockExponent: 16 }, "invalid", "physicalBlockExponent"],
      [{ removable: true, blockBytes: 1000 }, "invalid", "blockSize"],
      [{ vendor: "far too long" }, "invalid", "vendor"],
      [{ serial: "\u00e9" }, "invalid", "serial"],
      [{ removable: 1 }, "invalid", "removable"],
      [{ online: null }, "invalid", "online"],
      [{ spin: true }, "invalid", "spin"],
      [{ removable: true, lun: 9 }, "missing", "no LUN 9"],
      [{ removable: true, target: OTHER }, "missing", OTHER],
    ] as const) {
      await expect(set(settings), JSON.stringify(settings)).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(complaint),
      });
    }
    expect((await bench.run("lun/list", {}))[0]).toMatchObject(NOTHING);
  });

  it("of tgt's LUNs can be changed, too, and leave its identity alone", async () => {
    const tgt = { scsiId: "id", scsiSn: "sn", storeType: "thin", storePath: "tank/a" };
    const luns = [lunConfig(1, "tank/a", { tgt: { ...tgt, storeFlags: "" } })];
    const made = targetConfig(OTHER, { luns, tgt: { settings: new Map() } });
    await bench.harness.plane.change({ name: "test" }, "test", ({ inventory }) => ({
      ...inventory,
      volumes: new Map([["tank/a", thinConfig("tank", { name: "a" })]]),
      targets: [...inventory.targets, made],
    }));
    await bench.run("lun/set", { target: OTHER, lun: 1, removable: true });
    const [lun] = bench.harness.plane.view.inventory.targets[1]?.luns ?? [];
    expect(lun?.settings).toEqual({ removable: true });
    expect(lun?.tgt).toMatchObject(tgt);
  });
});

describe("the configuration", () => {
  it("says what its LUNs are, also where commands have the same volume", async () => {
    const image = { driver: "memory", sizeBytes: 1 << 20, uuid: null, readOnly: false } as const;
    const config = {
      ...emptyConfig(bench.folder),
      volumes: new Map([["disk", { ...image, optional: false, delayMs: 0 }]]),
      targets: [targetConfig(OTHER, { luns: [lunConfig(2, "disk")] })],
    };
    await bench.harness.dispose();
    bench.harness = await PlaneHarness.start({ folder: bench.folder, config });
    await bench.run("target/map", { target: DISK, volume: "disk" });
    await expect(set({ removable: true })).rejects.toMatchObject({
      kind: "foreign",
      message: expect.stringContaining(`LUN 2 of ${OTHER}`),
    });
    await expect(
      bench.run("lun/set", { target: OTHER, lun: 2, removable: true }),
    ).rejects.toMatchObject({ kind: "foreign" });
  });
});

describe("a document of a LUN", () => {
  it("has what was said of it, and what is said now over that", () => {
    const before = { lun: 0, volume: "a", vendor: "ACME", settings: { removable: true } };
    const said = { target: DISK, lun: 0, vendor: null, writeCache: false, removable: null };
    expect(withSettings(before, said)).toEqual({
      lun: 0,
      volume: "a",
      vendor: null,
      settings: { writeCache: false },
    });
  });
});
