import { spawnSync } from "node:child_process";

/** What the suites call, by the Debian package that brings it. */
export const DEBIAN_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  // What is compared with, and what checks what is made: tgt, an iSNS server, shells, and the tools of packages, manuals and units.
  unit: [
    "bash",
    "dpkg",
    "e2fsprogs",
    "fish",
    "lintian",
    "man-db",
    "mandoc",
    "open-isns-server",
    "openssl",
    "perl",
    "qemu-utils",
    "systemd",
    "tgt",
    "util-linux",
    "zsh",
  ],
  crash: ["e2fsprogs", "xfsprogs", "util-linux"],
  host: [
    "buildah",
    "crun",
    "libiscsi-bin",
    "mmdebstrap",
    "podman",
    "qemu-block-extra",
    "qemu-utils",
    "systemd",
    "util-linux",
  ],
  conformance: ["libiscsi-bin", "util-linux"],
  guest: [
    "qemu-system-x86",
    "linux-image-amd64",
    "busybox-static",
    "mmdebstrap",
    "systemd",
    "cpio",
    "kmod",
    "udev",
    "iproute2",
    "fdisk",
    "open-iscsi",
    "e2fsprogs",
    "xfsprogs",
    "fio",
    "sg3-utils",
    "util-linux",
  ],
};

/** The packages of these suites that are not installed. Where there is no dpkg, none is known to be missing. */
export function missingPackages(suites: readonly string[]): string[] {
  const wanted = [...new Set(suites.flatMap((suite) => DEBIAN_PACKAGES[suite] ?? []))].sort();
  if (wanted.length === 0) return [];
  const query = spawnSync(
    "dpkg-query",
    ["-W", "-f", "${Package} ${db:Status-Status}\n", ...wanted],
    {
      encoding: "utf8",
    },
  );
  if (query.error !== undefined) return [];
  const installed = new Set(
    query.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.slice(0, line.indexOf(" "))),
  );
  return wanted.filter((name) => !installed.has(name));
}

/** Whether {@link installPackages} has what it takes: the superuser and apt-get. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
}

/**
 * Installs Debian packages and starts none of their services.
 * @returns what apt-get said when it failed, or undefined
 */
export function installPackages(names: readonly string[]): string | undefined {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    // The kernel is only for guests: no initial ramdisk is built for this machine, and no boot loader is touched.
    INITRD: "No",
    // invoke-rc.d takes this for single-user mode and starts no daemon.
    RUNLEVEL: "1",
  };
  const steps = [
    ["-q", "update"],
    ["-q", "-y", "-o", "Dpkg::Use-Pty=0", "install", "--no-install-recommends", ...names],
  ];
  for (const step of steps) {
    const run = spawnSync("apt-get", step, { env, encoding: "utf8", maxBuffer: 64 << 20 });
    if (run.status !== 0) return `apt-get ${step.join(" ")}\n${run.stdout}${run.stderr}`;
  }
  return undefined;
}

/** Whether a program can be found, here or in the folders that only the superuser has in the path. */
export function hasProgram(name: string): boolean {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return (
    spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { env: { PATH: path } }).status === 0
  );
}
