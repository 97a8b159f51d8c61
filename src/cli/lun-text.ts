import type { LunReport } from "../control/protocol.ts";
import { formatSize } from "../util/units.ts";

const ROTATION_WORDS: ReadonlyMap<number, string> = new Map([
  [0, "rotation not told"],
  [1, "does not turn"],
]);

/** How much there is of it. */
export function sizeOfLun({ sizeBytes }: LunReport): string {
  return sizeBytes === null ? "missing" : formatSize(sizeBytes);
}

/** Whether it can be written, and is there. */
export function accessOfLun({ readOnly, online }: LunReport): string {
  return `${readOnly ? "read-only" : "writable"}${online ? "" : ", offline"}`;
}

/** What somebody has said of a LUN, apart from what it has by itself. */
export function settingsInWords(lun: LunReport): readonly string[] {
  const { blockBytes, vendor, product, revision, serial, rotationRate } = lun;
  const { physicalBlockExponent, lowestAlignedLba } = lun;
  const { optimalGranularityBlocks, optimalTransferBlocks } = lun;
  const words: (string | null)[] = [
    blockBytes === 512 ? null : `blocks of ${blockBytes}`,
    vendor === null ? null : `vendor ${vendor}`,
    product === null ? null : `product ${product}`,
    revision === null ? null : `revision ${revision}`,
    serial === null ? null : `serial ${serial}`,
    lun.removable ? "removable" : null,
    lun.writeCache ? null : "no write cache",
    lun.thinProvisioning ? null : "takes no space back",
    lun.softwareWriteProtect ? "protected by software" : null,
    lun.descriptorSense ? "descriptor sense" : null,
    rotationRate === null
      ? null
      : (ROTATION_WORDS.get(rotationRate) ?? `turns ${rotationRate} times a minute`),
    physicalBlockExponent === null ? null : `physical blocks of 2^${physicalBlockExponent}`,
    lowestAlignedLba === 0 ? null : `aligned at ${lowestAlignedLba}`,
    optimalGranularityBlocks === null ? null : `granularity ${optimalGranularityBlocks}`,
    optimalTransferBlocks === null ? null : `transfers of ${optimalTransferBlocks}`,
  ];
  return words.filter((word) => word !== null);
}

/** A LUN in a line. */
export function lunText(lun: LunReport): string {
  const facts = [lun.volume, sizeOfLun(lun), accessOfLun(lun), ...settingsInWords(lun)];
  return `LUN ${String(lun.lun).padEnd(6)} ${facts.join(", ")}\n`;
}
