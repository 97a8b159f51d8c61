import type { LunSettingOptions } from "../../../../src/cli/target/lun-settings.ts";
import type { LunSettings } from "../../../../src/control/protocol.ts";

/** A command line that says nothing of how a LUN is described. */
export const NO_SETTINGS: LunSettingOptions = {
  "read-only": false,
  "block-size": undefined,
  vendor: undefined,
  product: undefined,
  revision: undefined,
  serial: undefined,
  removable: undefined,
  "write-cache": undefined,
  "thin-provisioning": undefined,
  "software-write-protect": undefined,
  "descriptor-sense": undefined,
  "rotation-rate": undefined,
  "physical-block-exponent": undefined,
  "lowest-aligned-lba": undefined,
  "optimal-granularity": undefined,
  "optimal-transfer": undefined,
};

/** A LUN of which nobody has said anything. */
export const PLAIN_SETTINGS: LunSettings = {
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
