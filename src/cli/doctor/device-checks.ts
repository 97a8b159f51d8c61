import { type Finding, ok, warn } from "./finding.ts";
import type { Host } from "./host.ts";

/** A pattern of lvm.conf that means this device and no other. */
function patternOf(path: string): string {
  return `^${path.replace(/[.+*?^$(){}[\]|\\]/g, "\\$&")}$`;
}

/** Whether a filter of lvm.conf rejects a path: the first pattern that matches decides. */
export function rejects(filter: string, path: string): boolean {
  for (const [, entry = ""] of filter.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    const action = entry.slice(0, 1);
    const delimiter = entry.slice(1, 2);
    const end = entry.lastIndexOf(delimiter);
    if ((action !== "a" && action !== "r") || end < 2) continue;
    try {
      // As it is kept in the file, where a backslash may be written twice.
      if (!new RegExp(entry.slice(2, end).replaceAll("\\\\", "\\")).test(path)) continue;
    } catch {
      continue;
    }
    return action === "r";
  }
  return false;
}

/** An initiator that makes its disk a physical volume has this host's LVM activate what is on it, and write there. */
export async function checkLvm(host: Host, devices: readonly string[]): Promise<Finding> {
  if (!(await host.hasProgram("lvs"))) return ok("lvm", "LVM is not installed");
  if (devices.length === 0)
    return ok("lvm", "no block devices are exported that LVM could look into");
  const filter = await host.run("lvmconfig", "devices/global_filter");
  const seen = devices.filter((path) => filter?.exitCode !== 0 || !rejects(filter.stdout, path));
  const listed = await host.run("lvmconfig", "--typeconfig", "full", "devices/use_devicesfile");
  const usesFile = /use_devicesfile=1/.test(listed?.stdout ?? "");
  const file = usesFile ? await host.readText("/etc/lvm/devices/system.devices") : null;
  const open = file === null ? seen : seen.filter((path) => file.includes(`DEVNAME=${path} `));
  if (open.length === 0) return ok("lvm", "this host's LVM does not look into what is exported");
  const patterns = open.map((path) => `"r|${patternOf(path).replaceAll("|", "\\|")}|"`);
  return warn(
    "lvm",
    `this host's LVM looks into ${open.join(", ")}, and would take volumes of initiators for its own`,
    `Put into /etc/lvm/lvm.conf:\ndevices {\n    global_filter = [ ${patterns.join(", ")}, "a|.*|" ]\n}`,
  );
}

/** A path that multipath has made part of a map is not to be written beside it. */
export async function checkMultipath(host: Host, devices: readonly string[]): Promise<Finding> {
  for (const path of devices) {
    const name = path.slice("/dev/".length);
    for (const holder of await host.list(`/sys/block/${name}/holders`)) {
      const uuid = (await host.readText(`/sys/block/${holder}/dm/uuid`)) ?? "";
      if (!uuid.startsWith("mpath-")) continue;
      const map = ((await host.readText(`/sys/block/${holder}/dm/name`)) ?? holder).trim();
      const wwid = uuid.slice("mpath-".length).trim();
      return warn(
        "multipath",
        `${path} is one path of the multipath device ${map}`,
        `Export /dev/mapper/${map} instead; or, if it has one path only, put into /etc/multipath.conf:\nblacklist {\n    wwid "${wwid}"\n}`,
      );
    }
  }
  return ok("multipath", "no exported device is a path of a multipath device");
}
