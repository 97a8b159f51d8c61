import { spawn } from "node:child_process";
import { once } from "node:events";

/** How a program ended. */
export interface Ending {
  /** The exit status, or null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this machine to its end, without blocking this process. */
export async function attempt(program: string, ...args: readonly string[]): Promise<Ending> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, "close");
  return { status: child.exitCode, stdout, stderr };
}

/** Runs a program that must succeed, and returns its standard output. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await attempt(program, ...args);
  if (status === 0) return stdout;
  throw new Error(`status ${status} of ${program} ${args.join(" ")}\n${stdout}${stderr}`);
}
