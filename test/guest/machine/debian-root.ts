import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { attempt, run } from "../../support/program.ts";

/** The first release of Debian whose own Node.js is new enough for the package. */
const RELEASE = "trixie";

/** Used where apt does not tell where this machine has its packages from. */
const MIRROR = "http://deb.debian.org/debian";

/** What boots, what the package depends on, and what the tests call there. */
const PACKAGES = [
  "dbus",
  "e2fsprogs",
  "iproute2",
  "kmod",
  "logrotate",
  "nodejs",
  "open-iscsi",
  "systemd",
  "systemd-sysv",
  "udev",
];

const IMAGE_SIZE = "2G";

/** Nobody reads there what is in these; they are a third of the files. */
const LEFT_OUT = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*"];

/** What a machine in software takes long for, and nothing here needs. */
const MASKED = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "getty@tty1.service",
  "modprobe@drm.service",
  "modprobe@efi_pstore.service",
  "modprobe@fuse.service",
  "serial-getty@ttyS0.service",
];

/** Starts what obeys the host, when all else has been started. */
const OBEDIENCE = `[Unit]
After=multi-user.target
[Service]
Type=simple
Environment=TERM=dumb LC_ALL=C
ExecStartPre=-/sbin/modprobe -a virtio_net virtio_console iscsi_tcp sd_mod crc32c_generic loop
ExecStart=/bin/bash /guest-obey
StandardError=tty
TTYPath=/dev/ttyS0
OOMScoreAdjust=-900
[Install]
WantedBy=default.target
`;

/**
 * The image of a Debian that boots systemd, with an ext4 file system, made by mmdebstrap from the mirror that this machine has.
 * It takes half a minute once, and is kept in the user's cache for as long as its recipe is the same.
 * @returns its path
 * @throws Error where the mirror cannot be reached, or this is not the superuser
 */
export async function debianRoot(): Promise<string> {
  const recipe = JSON.stringify([RELEASE, PACKAGES, LEFT_OUT, IMAGE_SIZE, MASKED, OBEDIENCE]);
  const key = createHash("sha256").update(recipe).digest("hex").slice(0, 16);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "thinlun-guest");
  const image = join(cache, `${RELEASE}-${key}.ext4`);
  if (existsSync(image)) return image;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "making-"));
  try {
    const root = join(folder, "root");
    await run("mmdebstrap", ...options(), RELEASE, root, await mirror());
    writeFileSync(join(root, "etc/systemd/system/guest.service"), OBEDIENCE);
    await run("systemctl", "--root", root, "enable", "guest.service", "iscsid.service");
    await run("systemctl", "--root", root, "mask", ...MASKED);
    await run("rm", "-f", join(root, "etc/dpkg/dpkg.cfg.d/99mmdebstrap"));
    const made = join(folder, "image");
    const format = ["-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1"];
    await run("mke2fs", ...format, "-d", root, made, IMAGE_SIZE);
    // Two that make it at a time both have it then.
    renameSync(made, image);
    return image;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function options(): string[] {
  return [
    "--variant=minbase",
    "--mode=root",
    `--include=${PACKAGES.join(",")}`,
    '--aptopt=Apt::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  ];
}

/** Where this machine has Debian's own packages from. */
async function mirror(): Promise<string> {
  const format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
  const { stdout } = await attempt("apt-get", "indextargets", "--format", format);
  const line = stdout.split("\n").find((one) => one.startsWith("Debian|Debian|"));
  return line?.split("|")[2] ?? MIRROR;
}
