import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasProgram } from "../../support/debian-packages.ts";
import type {
  ProgramMessage,
  ProgramOperation,
  ProgramOptions,
  ProgramRequest,
} from "../program/protocol.ts";
import { type Killable, type Kind, type Outcome, saysFellBack, type Start } from "./killable.ts";

const [PROGRAM_VARIABLE, PROGRAM_PATH] = [
  "THINLUN_CRASH_PROGRAM",
  "test/crash/program/pool-program.js",
];

function programPath(): string {
  const folder = process.env[PROGRAM_VARIABLE];
  if (folder === undefined) throw new Error("the program that is to be killed was not built");
  return join(folder, PROGRAM_PATH);
}

/** How much of the program's log is kept, in lines. */
const LOG_LINES_MAX = 200;

/** The program with a pool, as a child that the kernel kills when this process ends. */
class PoolProcess implements Killable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #waiting = new Map<number, (outcome: Outcome | null) => void>();
  readonly started: Promise<Start>;
  #tellStart: (start: Start) => void = () => undefined;
  #nextId = 1;
  #wasKilled = false;
  /** Lines of its log, and what it wrote when a defect ended it. */
  readonly log: string[] = [];
  hasDefect = false;
  hasFallenBack = false;

  constructor(options: ProgramOptions) {
    const args = [programPath(), JSON.stringify(options)];
    const stdio: ["pipe", "pipe", "pipe"] = ["pipe", "pipe", "pipe"];
    this.#child = hasProgram("setpriv")
      ? spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, ...args], { stdio })
      : spawn(process.execPath, args, { stdio });
    this.started = new Promise((resolve) => (this.#tellStart = resolve));
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on("error", () => undefined);
    stderr?.on("data", (chunk: Buffer) => this.#note(`stderr: ${chunk.toString()}`));
    if (stdout !== null) createInterface(stdout).on("line", (line) => this.#take(line));
    // "close" comes after the last line of the output.
    this.#exit = once(this.#child, "close").then(() => this.#ended());
  }

  get isKilled(): boolean {
    return this.#wasKilled;
  }

  request(operation: ProgramOperation): Promise<Outcome | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return Promise.resolve(null);
    }
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const request: ProgramRequest = { id, operation };
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#wasKilled = true;
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  async ended(): Promise<void> {
    await this.#exit;
  }

  #ended(): void {
    if (!this.#wasKilled && this.#child.exitCode !== 0 && this.#child.exitCode !== 1) {
      this.hasDefect = true;
    }
    this.#tellStart({ kind: "died" });
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }

  #take(line: string): void {
    let message: ProgramMessage;
    try {
      message = JSON.parse(line) as ProgramMessage;
    } catch {
      this.#note(`cut off: ${line}`);
      return;
    }
    if (message.kind === "ready" || message.kind === "refused") this.#tellStart(message);
    else if (message.kind === "log") {
      if (message.level === "defect" || message.level === "fatal") this.hasDefect = true;
      if (saysFellBack(message.text)) this.hasFallenBack = true;
      this.#note(`${message.level}: ${message.text}`);
    } else {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }

  #note(line: string): void {
    this.log.push(line);
    if (this.log.length > LOG_LINES_MAX) this.log.shift();
  }
}

/** The program of this folder, which takes operations. */
export const programKind: Kind = {
  hasOperations: true,
  start: (options) => new PoolProcess(options),
  dispose: () => Promise.resolve(),
};
