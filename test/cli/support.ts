import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnMortal } from "../support/mortal-child.ts";

/** The built program: what users run. */
const CLI =
  process.env["THINLUN_CLI"] ??
  join(import.meta.dirname, "..", "..", "dist", "src", "cli", "thinlun.cjs");

const POLL_MS = 10;

/** How a command ended, and what it said. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export class Command {
  readonly child: ChildProcess;
  #stdout = "";
  #stderr = "";
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.child = spawnMortal(process.execPath, [CLI, ...args]);
    this.child.stdout?.on("data", (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#ended = once(this.child, "close");
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  async outcome(): Promise<Outcome> {
    await this.#ended;
    return { status: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** Waits until its output has this in it. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) await this.#pause(`it has not said "${text}"`);
  }

  /** Waits for the readiness file and returns the first port. */
  async portOf(readyFile: string): Promise<number> {
    while (!existsSync(readyFile)) await this.#pause("it was never ready");
    const ready = JSON.parse(readFileSync(readyFile, "utf8")) as {
      portals: { port: number }[];
      pid: number;
    };
    return ready.portals[0]?.port ?? 0;
  }

  /** SIGTERM, and its end. */
  async stop(): Promise<Outcome> {
    this.child.kill("SIGTERM");
    return this.outcome();
  }

  async #pause(complaint: string): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`${complaint}:\n${this.output}`);
    await sleep(POLL_MS);
  }
}

/** Runs a command to its end. */
export function run(...args: string[]): Promise<Outcome> {
  return new Command(args).outcome();
}
