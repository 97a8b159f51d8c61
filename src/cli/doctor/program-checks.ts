import { fail, type Finding, ok, warn } from "./finding.ts";
import type { Host } from "./host.ts";

/** What package.json asks for. */
const NODE_LINES: readonly (readonly [major: number, minor: number])[] = [
  [20, 19],
  [22, 12],
];

export function checkNode({ nodeVersion }: Host): Finding {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const newest = Math.max(...NODE_LINES.map(([line]) => line));
  const isEnough =
    major > newest || NODE_LINES.some(([line, from]) => line === major && minor >= from);
  if (isEnough) return ok("node", `Node.js ${nodeVersion} is new enough`);
  return fail(
    "node",
    `Node.js ${nodeVersion} is not one that this runs on`,
    "Install Node.js 20.19 or newer, or 22.12 or newer",
  );
}

export async function checkLocks(host: Host): Promise<Finding> {
  const method = await host.lockMethod();
  if (method === "fs-ext")
    return ok("locks", "files are locked by fs-ext, without a child process");
  if (method === "flock") return ok("locks", "files are locked by flock(1); fs-ext is not needed");
  return warn(
    "locks",
    "there is neither fs-ext nor flock(1), so a lock file stands for a lock, which a crash leaves behind",
    "Install util-linux, which has flock(1)",
  );
}

/** Without it systemd waits for a readiness that nobody tells. */
export async function checkNotify(host: Host): Promise<Finding> {
  const bySystemd = (await host.factsOf("/run/systemd/system")) !== null;
  if (!bySystemd) return ok("systemd", "systemd does not run this host");
  if (await host.hasProgram("systemd-notify")) {
    return ok("systemd", "systemd-notify can tell systemd when the daemon is ready");
  }
  return fail(
    "systemd",
    "there is no systemd-notify, so a service of Type=notify is never ready",
    "Install the package of systemd that has systemd-notify",
  );
}

/** Each session, image and device of a pool takes one. */
const OPEN_FILES_MIN = 4096;

/** The hard limit counts: Node.js raises its own to it. */
export async function checkOpenFiles(host: Host): Promise<Finding> {
  const limits = (await host.readText("/proc/self/limits")) ?? "";
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? "unlimited";
  if (hard === "unlimited" || Number(hard) >= OPEN_FILES_MIN) {
    return ok("files", `${hard} files may be open at a time`);
  }
  return warn(
    "files",
    `only ${hard} files may be open at a time, and each connection and device takes one`,
    "Set LimitNOFILE=1048576 in the service, or hard nofile in /etc/security/limits.conf",
  );
}

export async function checkClock(host: Host): Promise<Finding> {
  const said = await host.run("timedatectl", "show", "--property=NTPSynchronized", "--value");
  const answer = said?.stdout.trim();
  if (said === null || said.exitCode !== 0 || (answer !== "yes" && answer !== "no")) {
    return ok("clock", "nobody here knows whether the clock is right; nothing depends on it");
  }
  if (answer === "yes") return ok("clock", "the clock is kept right");
  return warn(
    "clock",
    "the clock is not synchronized, so times of snapshots and of the log may be wrong",
    "Run chrony or systemd-timesyncd: timedatectl set-ntp true",
  );
}
