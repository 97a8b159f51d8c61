import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { hasProgram, missingPackages } from "../../support/debian-packages.ts";
import { installedKernel, makeBootFiles } from "./boot-files.ts";
import { startQemu } from "./qemu.ts";

/** How guests run here: with the processor's help, in software, or not at all (then the reason says why). */
export type Accelerator = "kvm" | "tcg" | "none";

declare module "vitest" {
  interface ProvidedContext {
    accelerator: Accelerator;
  }
}

/** A kernel under working hardware virtualization is in user space after a second or two. */
const KVM_PROBE_LIMIT_MS = 15_000;

/** Decides once, before any guest test, how guests run on this machine. */
export default async function decide(project: TestProject): Promise<void> {
  const accelerator = await chooseAccelerator();
  console.log(`guests run with: ${accelerator}`);
  project.provide("accelerator", accelerator);
}

async function chooseAccelerator(): Promise<Accelerator> {
  if (!hasProgram("qemu-system-x86_64") || installedKernel() === undefined) return "none";
  if (process.getuid?.() !== 0 || missingPackages(["guest"]).length > 0) return "none";
  return (await kvmBoots()) ? "kvm" : "tcg";
}

/** A device file is no proof: inside some virtual machines it opens, and the guest never gets anywhere. */
async function kvmBoots(): Promise<boolean> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), "thinlun-kvm-"));
  try {
    const qemu = startQemu({ ...makeBootFiles(folder), accelerator: "kvm", memoryMib: 256 });
    try {
      return await qemu.says("@@guest-alive", KVM_PROBE_LIMIT_MS);
    } finally {
      await qemu.kill();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
