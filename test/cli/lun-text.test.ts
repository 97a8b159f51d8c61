import { expect, it } from "vitest";
import { accessOfLun, lunText, settingsInWords, sizeOfLun } from "../../src/cli/lun-text.ts";
import type { LunReport } from "../../src/control/protocol.ts";
import { PLAIN_SETTINGS } from "./target/support/no-settings.ts";

const LUN: LunReport = {
  target: "iqn.2026-11.net.example:disk",
  lun: 3,
  volume: "tank/a",
  driver: "thin",
  sizeBytes: 2 ** 30,
  uuid: null,
  blockBytes: 512,
  readOnly: false,
  online: true,
  ...PLAIN_SETTINGS,
};

it("a LUN of which nobody has said anything is a volume, a size and whether it can be written", () => {
  expect(lunText(LUN)).toBe("LUN 3      tank/a, 1 GiB, writable\n");
  expect(sizeOfLun({ ...LUN, sizeBytes: null })).toBe("missing");
  expect(accessOfLun({ ...LUN, readOnly: true, online: false })).toBe("read-only, offline");
});

it("what was said of a LUN is told", () => {
  const words = settingsInWords({
    ...LUN,
    blockBytes: 4096,
    vendor: "ACME",
    product: "DISK",
    revision: "7",
    serial: "s",
    removable: true,
    writeCache: false,
    softwareWriteProtect: true,
    descriptorSense: true,
    thinProvisioning: false,
    physicalBlockExponent: 3,
    lowestAlignedLba: 7,
    optimalGranularityBlocks: 8,
    optimalTransferBlocks: 64,
    rotationRate: 7200,
  });
  expect(words).toHaveLength(15);
  expect(words).toContain("no write cache");
  expect(words).toContain("turns 7200 times a minute");
  expect(settingsInWords({ ...LUN, rotationRate: 1 })).toEqual(["does not turn"]);
});
