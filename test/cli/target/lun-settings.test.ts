import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/cli/exit-code.ts";
import { lunSettingsOf, namingOptions } from "../../../src/cli/target/lun-settings.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import { NO_SETTINGS } from "./support/no-settings.ts";

describe("the options of a LUN", () => {
  it("say nothing where nothing is given", () => {
    expect(lunSettingsOf(NO_SETTINGS)).toEqual({});
  });

  it("say what is given", () => {
    expect(
      lunSettingsOf({
        "read-only": true,
        "block-size": "4KiB",
        vendor: "ACME",
        product: "",
        revision: "7",
        serial: "s",
        removable: true,
        "write-cache": false,
        "thin-provisioning": false,
        "software-write-protect": true,
        "descriptor-sense": false,
        "rotation-rate": "7200",
        "physical-block-exponent": "3",
        "lowest-aligned-lba": "default",
        "optimal-granularity": "0",
        "optimal-transfer": "1024",
      }),
    ).toEqual({
      readOnly: true,
      blockBytes: 4096,
      vendor: "ACME",
      product: null,
      revision: "7",
      serial: "s",
      removable: true,
      writeCache: false,
      thinProvisioning: false,
      softwareWriteProtect: true,
      descriptorSense: false,
      rotationRate: 7200,
      physicalBlockExponent: 3,
      lowestAlignedLba: null,
      optimalGranularityBlocks: 0,
      optimalTransferBlocks: 1024,
    });
    const rates = ["ssd", "unknown", "default", "1025", "65534"].map(
      (rate) => lunSettingsOf({ ...NO_SETTINGS, "rotation-rate": rate }).rotationRate,
    );
    expect(rates).toEqual([1, 0, null, 1025, 65_534]);
  });

  it.each([
    ["block-size", "big"],
    ["rotation-rate", "1"],
    ["rotation-rate", "65535"],
    ["rotation-rate", "fast"],
    ["physical-block-exponent", "-1"],
    ["lowest-aligned-lba", "1.5"],
    ["optimal-granularity", ""],
    ["optimal-transfer", "64KiB"],
  ])("are named where they make no sense: %s %s", (option, value) => {
    const read = (): unknown => lunSettingsOf({ ...NO_SETTINGS, [option]: value });
    expect(read).toThrow(UsageError);
    expect(read).toThrow(`--${option}: "${value}"`);
  });

  it("are named where the daemon complains of what they say", async () => {
    const attempt = namingOptions(() => {
      const complaints = "vendor: must have 1 to 8; blockSize: no; optimalTransferBlocks must be";
      return Promise.reject(new OperationError("invalid", complaints));
    });
    await expect(attempt).rejects.toMatchObject({
      kind: "invalid",
      message: "--vendor: must have 1 to 8; --block-size: no; --optimal-transfer must be",
    });
    const other = new OperationError("busy", "vendor: it is in use");
    await expect(namingOptions(() => Promise.reject(other))).rejects.toBe(other);
    expect(await namingOptions(() => Promise.resolve(7))).toBe(7);
  });
});
