import type { Running, RunningLun } from "../daemon.ts";
import { formatSize } from "../util/units.ts";

type Portal = Running["portals"][number];

const LOOPBACK_OF_WILDCARD: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/** An address that somebody on this host can type for a portal. */
function reachable({ address, port }: Portal): string {
  const host = LOOPBACK_OF_WILDCARD[address] ?? address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function lunLine({ lun, volume, capacityBytes, path, isNew }: RunningLun): string {
  const place = path === null ? "in memory" : path;
  return `    LUN ${lun}  ${volume}, ${formatSize(capacityBytes)}, ${place}${isNew ? " (new)" : ""}`;
}

/** How a person types commands for this daemon. */
export interface ProgramWords {
  readonly program: string;
  /** Behind the command: where the daemon is, unless it is found without. Begins with a space, or is empty. */
  readonly options: string;
}

/** What to type next, for a person at a terminal. */
export function serveBanner(running: Running, { program, options }: ProgramWords): string {
  const { targets, portals, stateDir, demo } = running;
  const portal = portals[0];
  const target = targets[0];
  const lines = [
    "",
    `thinlun is ready on ${portals.map(reachable).join(", ")}`,
    "",
    ...targets.flatMap(({ name, usesChap, luns }) => [
      `  ${name}${usesChap ? " (CHAP)" : ""}`,
      ...luns.map(lunLine),
    ]),
    `  state  ${stateDir}`,
  ];
  if (portal !== undefined && target !== undefined) {
    lines.push("", ...instructions(reachable(portal), target));
  }
  if (demo !== null) {
    lines.push("To see the disk, and to take a snapshot of it:");
    lines.push(`  ${program} volume show ${demo}${options}`);
    lines.push(`  ${program} snapshot create ${demo}${options}`);
    lines.push("To give initiators more while it runs: volumes, targets, LUNs, access:");
    lines.push(`  ${program} target --help`);
    lines.push("", "Your own disks: write a configuration (docs/configuration.md), then");
    lines.push(`  ${program} serve --config FILE`);
  }
  lines.push("", "To stop: Ctrl-C, or SIGTERM. The disk stays; start again to go on with it.", "");
  return lines.join("\n");
}

function instructions(portal: string, target: Running["targets"][number]): string[] {
  const lun = target.luns[0]?.lun ?? 0;
  const url = `iscsi://${portal}/${target.name}/${lun}`;
  return [
    "Connect from Linux (Open-iSCSI, as root):",
    `  iscsiadm -m discovery -t sendtargets -p ${portal}`,
    `  iscsiadm -m node -T ${target.name} -p ${portal} --login`,
    "  lsblk -S                       # the new disk; mkfs and mount it as any other",
    `  iscsiadm -m node -T ${target.name} -p ${portal} --logout`,
    "Or without root (QEMU, libiscsi):",
    `  qemu-img info ${url}`,
    `  iscsi-ls -s iscsi://${portal}`,
    `  iscsi-inq ${url}`,
  ];
}
