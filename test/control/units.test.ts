import { describe, expect, it } from "vitest";
import { changeUnit, identityOfLun, isSameDisk, Units } from "../../src/control/units.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import { silentLog } from "../../src/util/log.ts";
import { systemClock } from "../../src/util/clock.ts";
import { MemoryDriver } from "../../src/volume/memory/memory-driver.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { lunConfig, targetConfig } from "./support/inventories.ts";

const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";

async function volume(): Promise<Volume> {
  const driver = new MemoryDriver();
  const spec = { name: "disk", uuid: UUID, sizeBytes: 1 << 20, options: {} };
  await driver.create(spec);
  return driver.open(spec);
}

const tgt = {
  scsiId: "IET     00030001",
  scsiSn: "beaf31",
  storeType: "rdwr",
  storePath: "/srv/d.img",
  storeFlags: "",
};

const own = targetConfig("iqn.2026-11.net.example:own");
const tgts = targetConfig("iqn.2026-11.net.example:tgt", { tid: 3, tgt: { settings: new Map() } });

function neverUnit(): never {
  throw new Error("there is a unit");
}

describe("Units", () => {
  it("has one unit for a volume, whatever LUNs lead to it", async () => {
    const units = new Units(silentLog, systemClock);
    const disk = await volume();
    const unit = units.take(own, lunConfig(0, "disk"), disk);
    expect(units.take({ ...own, name: "other" }, lunConfig(5, "disk"), disk)).toBe(unit);
    expect(unit?.identity.vendor).toBe("THINLUN");
    units.close();
    await disk.close();
  });

  it("has a unit for each LUN of tgt's targets, each with tgt's names", async () => {
    const units = new Units(silentLog, systemClock);
    const disk = await volume();
    const first = units.take(tgts, lunConfig(1, "disk", { tgt }), disk);
    const second = units.take(tgts, lunConfig(2, "disk", { tgt: { ...tgt, scsiSn: "x" } }), disk);
    expect(second).not.toBe(first);
    expect(first?.identity).toMatchObject({ vendor: "IET", product: "VIRTUAL-DISK" });
    expect(Buffer.from(first?.identity.serialField ?? []).toString()).toBe("beaf31".padStart(36));
    expect(Buffer.from(first?.identity.designators ?? []).toString("latin1")).toContain(tgt.scsiId);
    units.close();
    await disk.close();
  });

  it("has no unit for a volume under other blocks than initiators know, and another one for another volume", async () => {
    const units = new Units(silentLog, systemClock);
    const [disk, other] = [await volume(), await volume()];
    const unit = units.take(own, lunConfig(0, "disk"), disk);
    expect(units.take(own, lunConfig(0, "disk", { blockBytes: 4096 }), disk)).toBeNull();
    const config = lunConfig(1, "disk", { tgt });
    expect(units.take(tgts, config, disk)?.volume).toBe(disk);
    expect(units.take(tgts, config, other)?.volume).toBe(other);
    units.forget(unit ?? neverUnit());
    const blocks = units.take(own, lunConfig(0, "disk", { blockBytes: 4096 }), disk);
    expect(blocks?.blockBytes).toBe(4096);
    units.close();
    unit?.close();
    await disk.close();
    await other.close();
  });

  it("gives a target of tgt a controller", () => {
    const unit = new Units(silentLog, systemClock).makeController(tgts);
    expect(unit).toBeInstanceOf(LogicalUnit);
    expect(unit.identity).toMatchObject({ vendor: "IET", product: "Controller", serial: "beaf30" });
  });

  it("changes settings and tgt's names of a unit that is there, and says whether anything did", async () => {
    const units = new Units(silentLog, systemClock);
    const disk = await volume();
    const config = lunConfig(1, "disk", { tgt });
    const unit = units.take(tgts, config, disk) ?? neverUnit();
    expect(changeUnit(unit, tgts, config)).toBe(false);
    expect(changeUnit(unit, tgts, { ...config, settings: { online: false } })).toBe(true);
    expect(unit?.online).toBe(false);
    expect(changeUnit(unit, tgts, { ...config, settings: { online: false }, readOnly: true })).toBe(
      true,
    );
    expect(unit?.readOnly).toBe(true);
    expect(changeUnit(unit, tgts, { ...config, tgt: { ...tgt, scsiSn: "new" } })).toBe(true);
    expect([unit?.identity.serial, unit?.online]).toEqual(["new", true]);
    units.close();
    await disk.close();
  });
});

it("a medium that an initiator has ejected stays so, unless the unit is brought online", async () => {
  const units = new Units(silentLog, systemClock);
  const disk = await volume();
  const config = lunConfig(1, "disk", { settings: { removable: true } });
  const unit = units.take(own, config, disk) ?? neverUnit();
  unit.ejected = true;
  expect(changeUnit(unit, own, { ...config, readOnly: true })).toBe(true);
  expect([unit.ejected, unit.readOnly]).toEqual([true, true]);
  changeUnit(unit, own, { ...config, settings: { removable: true, online: false } });
  changeUnit(unit, own, config);
  expect(unit.ejected).toBe(false);
  units.close();
  await disk.close();
});

describe("identityOfLun", () => {
  it("lets what is set of the INQUIRY data stand over tgt's", () => {
    const config = lunConfig(1, "disk", { tgt, identity: { product: "MINE" } });
    expect(identityOfLun(tgts, config)).toMatchObject({ vendor: "IET", product: "MINE" });
    expect(identityOfLun(own, lunConfig(1, "disk"))).toEqual({});
  });
});

describe("isSameDisk", () => {
  it.each([
    [{ readOnly: true }, true],
    [{ settings: { online: false } }, true],
    [{ volume: "other" }, false],
    [{ lun: 4 }, false],
    [{ blockBytes: 4096 as const }, false],
    [{ identity: { serial: "1" } }, false],
    [{ tgt }, false],
  ])("after a change of %o: %s", (changes, expected) => {
    expect(isSameDisk(lunConfig(1, "disk"), lunConfig(1, "disk", changes))).toBe(expected);
  });

  it("lets tgt give a disk other names", () => {
    const one = lunConfig(1, "disk", { tgt });
    expect(isSameDisk(one, { ...one, tgt: { ...tgt, scsiId: "other" } })).toBe(true);
  });
});
