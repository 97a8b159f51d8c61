import { describe, expect, it } from "vitest";
import { withLunSetting } from "../../../../src/control/tgt/execute/lun-settings.ts";
import type { LunConfig } from "../../../../src/control/config/config.ts";
import { lunConfig } from "../../support/inventories.ts";

const TGT = {
  scsiId: "IET     00010001",
  scsiSn: "beaf11",
  storeType: "rdwr",
  storePath: "/srv/d1.img",
  storeFlags: "",
};

function lun(changes: Partial<LunConfig> = {}): LunConfig {
  return lunConfig(1, "/srv/d1.img", { tgt: TGT, ...changes });
}

function after(key: string, value: string, before: LunConfig = lun()): LunConfig {
  return withLunSetting(before, { key, value }, false);
}

describe("settings of a logical unit", () => {
  it.each([
    ["lbppbe", "0x13", { physicalBlockExponent: 3 }],
    ["la_lba", "16385", { lowestAlignedLba: 1 }],
    ["optimal_xfer_gran", "8", { optimalGranularityBlocks: 8 }],
    ["optimal_xfer_len", "4294967295", { optimalTransferBlocks: 4_294_967_295 }],
    ["rotation_rate", "1", { rotationRate: 1 }],
    ["removable", "5", { removable: true }],
    ["removable", "x", { removable: false }],
    ["thin_provisioning", "1", { thinProvisioning: true }],
    ["sense_format", "1", { descriptorSense: true }],
    ["online", "0", { online: false }],
    ["mode_page", "8:0:18:0x10:0", { writeCache: false }],
  ])("%s=%s is %j", (key, value, settings) => {
    expect(after(key, value)).toEqual(lun({ settings }));
  });

  it("are names, which are cut to what there is room for", () => {
    const long = "x".repeat(40);
    expect(after("scsi_id", long).tgt?.scsiId).toBe("x".repeat(36));
    expect(after("scsi_sn", long).tgt?.scsiSn).toBe("x".repeat(36));
    expect(after("vendor_id", long).identity).toEqual({ vendor: "x".repeat(8) });
    expect(after("product_id", long).identity).toEqual({ product: "x".repeat(16) });
    expect(after("product_rev", long).identity).toEqual({ revision: "xxxx" });
    expect(() => after("scsi_id", "\u00e4")).toThrow(/printable/);
  });

  it("are write protection", () => {
    expect(after("readonly", "1").readOnly).toBe(true);
    expect(after("readonly", "0", lun({ readOnly: true })).readOnly).toBe(false);
  });

  it("are a new medium, once the old one is offline", () => {
    expect(() => after("path", "/srv/d2.img")).toThrow(/offline/);
    const offline = lun({ settings: { online: false, removable: true } });
    expect(after("path", "/srv/d2.img", offline)).toEqual({
      ...lun({ settings: { online: true, removable: true } }),
      volume: "/srv/d2.img",
      tgt: { ...TGT, storePath: "/srv/d2.img" },
    });
  });

  it("leave a medium in its place that an initiator holds", () => {
    const setting = { key: "online", value: "0" };
    expect(() => withLunSetting(lun(), setting, true)).toThrow(
      expect.objectContaining({ refusal: "prevent-removal" }),
    );
  });

  it("bring nothing online where nothing is", () => {
    expect(() => after("online", "1", lun({ tgt: { ...TGT, storePath: "" } }))).toThrow(/medium/);
  });

  it("keep writes durable of a unit that was made so", () => {
    const sync = lun({ tgt: { ...TGT, storeFlags: "sync" } });
    expect(after("mode_page", "8:0:18:0x14:0", sync).settings).toEqual({ writeCache: false });
  });

  it("cannot be what no disk has, nor what is fixed", () => {
    expect(() => after("rotation_rate", "100")).toThrow(/rotationRate/);
    expect(() => after("bsopts", "x")).toThrow(/cannot change/);
    expect(() => after("readonly", "1", lun({ tgt: null }))).toThrow(
      expect.objectContaining({ refusal: "unsupported-operation" }),
    );
  });
});
