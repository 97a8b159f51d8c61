import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** What QEMU boots. */
export interface BootFiles {
  readonly kernel: string;
  readonly initialRamdisk: string;
}

const BUSYBOX = "/bin/busybox";
/** What it takes to mount the root; everything else the guest loads from there. */
const ROOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];
/** And where it is on a disk. */
const DISK_MODULES = ["virtio_blk", "crc32c_generic", "ext4"];

/** The newest Debian kernel on this machine that has its modules, or undefined. */
export function installedKernel(): { path: string; version: string } | undefined {
  const versions = readdirSync("/boot")
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length))
    .filter((version) => existsSync(`/lib/modules/${version}/modules.dep`))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const version = versions.at(-1);
  return version === undefined ? undefined : { path: `/boot/vmlinuz-${version}`, version };
}

/**
 * Writes the initial ramdisk into `folder`: busybox, the modules that mount the root, and the scripts.
 * @param onDisk whether the root is on a disk, and not this machine's
 */
export function makeBootFiles(folder: string, onDisk = false): BootFiles {
  const kernel = installedKernel();
  if (kernel === undefined) throw new Error("no kernel with its modules is installed");
  const root = join(folder, "ramdisk");
  for (const name of ["bin", "modules", "proc", "sys", "dev", "lower", "rw", "newroot"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  cpSync(BUSYBOX, join(root, "bin", "busybox"));
  const modules = moduleFiles(kernel.version, onDisk);
  for (const file of modules) cpSync(file, join(root, "modules", basename(file)));
  writeFileSync(
    join(root, "modules", "order"),
    modules.map((file) => `${basename(file)}\n`).join(""),
  );
  cpSync(join(import.meta.dirname, "init.sh"), join(root, "init"));
  cpSync(join(import.meta.dirname, "main.sh"), join(root, "guest-main"));
  cpSync(join(import.meta.dirname, "obey.sh"), join(root, "guest-obey"));

  const initialRamdisk = join(folder, "initrd.gz");
  const pack = 'chmod +x init && find . | cpio --quiet -o -H newc | gzip -1 > "$1"';
  succeed("sh", ["-c", pack, "sh", initialRamdisk], root);
  return { kernel: kernel.path, initialRamdisk };
}

/** The files of the modules and of all that they need, in the order in which they load. */
function moduleFiles(version: string, onDisk: boolean): string[] {
  const files = [...ROOT_MODULES, ...(onDisk ? DISK_MODULES : [])].flatMap((name) =>
    succeed("/sbin/modprobe", ["-S", version, "-D", name], "/")
      .split("\n")
      .filter((line) => line.startsWith("insmod "))
      .map((line) => line.split(" ")[1] ?? ""),
  );
  return [...new Set(files)];
}

function succeed(program: string, args: readonly string[], cwd: string): string {
  const run = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${run.stderr}`);
  return run.stdout;
}
