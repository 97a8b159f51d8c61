import { checkLvm, checkMultipath } from "./device-checks.ts";
import { exportedDevices } from "./exported-devices.ts";
import { type Finding, warn } from "./finding.ts";
import type { Host } from "./host.ts";
import { checkFirewall, checkInitiator, checkPort } from "./network-checks.ts";
import { checkPools, checkTgt } from "./pool-checks.ts";
import {
  checkClock,
  checkLocks,
  checkNode,
  checkNotify,
  checkOpenFiles,
} from "./program-checks.ts";
import { checkFileSystem, checkStateFolder } from "./state-checks.ts";

type Check = () => Promise<readonly Finding[]>;

/** One look after the other. One that fails is a finding by itself: the others are of use all the same. */
export async function examine(host: Host): Promise<Finding[]> {
  const answer = await host.pools();
  const devices = await exportedDevices(host, answer);
  const one = (check: (host: Host) => Finding | Promise<Finding>) => async () => [
    await check(host),
  ];
  const checks: readonly (readonly [name: string, check: Check])[] = [
    ["node", one(checkNode)],
    ["locks", one(checkLocks)],
    ["systemd", one(checkNotify)],
    ["files", one(checkOpenFiles)],
    ["clock", one(checkClock)],
    ["state", one(checkStateFolder)],
    ["file system", () => checkFileSystem(host)],
    ["port", one(checkPort)],
    ["firewall", one(checkFirewall)],
    ["initiator", one(checkInitiator)],
    ["daemon", () => Promise.resolve(checkPools(answer))],
    ["lvm", one(() => checkLvm(host, devices))],
    ["multipath", one(() => checkMultipath(host, devices))],
    ["tgt", one(checkTgt)],
  ];
  const findings: Finding[] = [];
  for (const [name, check] of checks) {
    try {
      findings.push(...(await check()));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      findings.push(
        warn(name, `this could not be looked at: ${reason}`, "Run it as the user of the daemon"),
      );
    }
  }
  return findings;
}
