import { foreignText, line, yesOrNo } from "./lines.ts";
import { accountLines } from "./show-account.ts";
import type { ShownNexus, ShownTarget, ShownUnit } from "./shown.ts";
import { megabytesShown } from "./size-figure.ts";

/** What tgt shows for an initiator that sent no alias, and for a unit without a medium. */
const NO_ALIAS = "none";
const NO_PATH = "None";

function nexusLines(nexus: ShownNexus): string {
  const name = foreignText(nexus.initiatorName);
  const alias = foreignText(nexus.initiatorAlias ?? NO_ALIAS);
  return (
    line(2, `I_T nexus: ${nexus.sid}`) +
    line(3, `Initiator: ${name} alias: ${alias}`) +
    nexus.connections
      .map(({ cid, address }) => line(3, `Connection: ${cid}`) + line(4, `IP Address: ${address}`))
      .join("")
  );
}

function unitLines(unit: ShownUnit): string {
  const facts = [
    `Type: ${unit.type}`,
    `SCSI ID: ${unit.scsiId}`,
    `SCSI SN: ${unit.scsiSn}`,
    `Size: ${megabytesShown(unit.sizeBytes)} MB, Block size: ${unit.blockBytes}`,
    `Online: ${yesOrNo(unit.online)}`,
    `Removable media: ${yesOrNo(unit.removable)}`,
    `Prevent removal: ${yesOrNo(unit.preventRemoval)}`,
    `Readonly: ${yesOrNo(unit.readOnly)}`,
    `SWP: ${yesOrNo(unit.softwareWriteProtect)}`,
    `Thin-provisioning: ${yesOrNo(unit.thinProvisioned)}`,
    `Backing store type: ${unit.storeType}`,
    `Backing store path: ${unit.storePath ?? NO_PATH}`,
    // The blank before nothing is tgt's; parsers of the text rely on the label's whole width.
    `Backing store flags: ${unit.storeFlags}`,
  ];
  return line(2, `LUN: ${unit.lun}`) + facts.map((fact) => line(3, fact)).join("");
}

function systemLines(target: ShownTarget): string {
  const text =
    line(1, "System information:") +
    line(2, `Driver: ${target.driver}`) +
    line(2, `State: ${target.state}`);
  if (target.nopIntervalSeconds === 0) return text;
  return (
    text +
    line(2, `Nop interval: ${target.nopIntervalSeconds}`) +
    line(2, `Nop count: ${target.nopCount}`)
  );
}

function targetLines(target: ShownTarget): string {
  const units = [...target.units].sort((left, right) => left.lun - right.lun);
  const rules = [...target.addressRules, ...target.nameRules];
  return (
    line(0, `Target ${target.tid}: ${target.name}`) +
    systemLines(target) +
    line(1, "I_T nexus information:") +
    target.nexuses.map(nexusLines).join("") +
    line(1, "LUN information:") +
    units.map(unitLines).join("") +
    line(1, "Account information:") +
    accountLines(target.accounts, 2) +
    line(1, "ACL information:") +
    rules.map((rule) => line(2, rule)).join("")
  );
}

/** What `--mode target --op show` prints: all targets by their tid, and nothing at all where there is none. */
export function showTargets(targets: readonly ShownTarget[]): string {
  const byTid = [...targets].sort((left, right) => left.tid - right.tid);
  return byTid.map(targetLines).join("");
}
