import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { hasProgram } from "./debian-packages.ts";

/**
 * Starts a program that the kernel kills when this process ends, in whatever way: no crashed or interrupted test
 * leaves a daemon or a virtual machine behind. Standard input is closed; output and errors are pipes.
 */
export function spawnMortal(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const options = { stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], env };
  return hasProgram("setpriv")
    ? spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], options)
    : spawn(program, args, options);
}
