import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnMortal } from "../../support/mortal-child.ts";
import type { BootFiles } from "./boot-files.ts";

export interface QemuOptions extends BootFiles {
  readonly accelerator: "kvm" | "tcg";
  readonly memoryMib: number;
  /** The Unix socket at which the guest's virtio port arrives. */
  readonly controlSocket?: string;
  /** The image of a disk that the guest has as /dev/vda. What the guest writes to it is gone with the guest. */
  readonly disk?: string | undefined;
}

const POLL_MS = 50;

/** A running virtual machine and what its console said. */
export class Qemu {
  readonly #child: ChildProcess;
  #console = "";
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    const take = (chunk: Buffer): void => {
      this.#console += chunk.toString("latin1").replaceAll("\r", "");
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => (this.#ended = true));
    child.once("error", (error) => {
      this.#console += String(error);
      this.#ended = true;
    });
  }

  get console(): string {
    return this.#console;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the console shows `marker` before the time is over or the machine ends. */
  async says(marker: string, limitMs: number): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < limitMs && !this.#ended; waitedMs += POLL_MS) {
      if (this.#console.includes(marker)) return true;
      await sleep(POLL_MS);
    }
    return this.#console.includes(marker);
  }

  async kill(): Promise<void> {
    if (this.#ended) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

/** Starts a virtual machine that sees this machine's file system, read-only. */
export function startQemu(options: QemuOptions): Qemu {
  const { accelerator, memoryMib, controlSocket, disk } = options;
  const arguments_ = [
    accelerator === "kvm" ? "-accel kvm -cpu host" : "-accel tcg,thread=multi -cpu max",
    `-smp 2 -m ${memoryMib} -nodefaults -display none -no-reboot -serial stdio`,
    "-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
    "-netdev user,id=net -device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci",
  ];
  if (controlSocket !== undefined) {
    arguments_.push(
      `-chardev socket,id=control,path=${controlSocket}`,
      "-device virtio-serial-pci -device virtserialport,chardev=control",
    );
  }
  if (disk !== undefined) {
    arguments_.push(`-drive file=${disk},if=virtio,format=raw,snapshot=on`);
  }
  const child = spawnMortal("qemu-system-x86_64", [
    ...arguments_.join(" ").split(" "),
    "-kernel",
    options.kernel,
    "-initrd",
    options.initialRamdisk,
    "-append",
    "console=ttyS0 panic=-1 quiet loglevel=4",
  ]);
  return new Qemu(child);
}
