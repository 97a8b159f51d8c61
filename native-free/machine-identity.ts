import { readFileSync } from "node:fs";

/** What tells this machine, and this boot of it, from others. */

/** Where systemd, and before it D-Bus, keep the number that an installation is given once (machine-id(5)). */
const MACHINE_ID_PATHS = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim().toLowerCase();
  } catch {
    return "";
  }
}

/** 32 hexadecimal digits, or null where the machine has not been given any (as an image that was never booted). */
export function readMachineId(paths: readonly string[] = MACHINE_ID_PATHS): string | null {
  for (const path of paths) {
    const id = read(path);
    if (/^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id)) return id;
  }
  return null;
}

/**
 * The kernel's UUID of this boot, or null where there is no /proc. Synchronous, since it is asked for when there may be no
 * later turn of the event loop.
 */
export function readBootId(path: string = "/proc/sys/kernel/random/boot_id"): string | null {
  const id = read(path);
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null;
}
