import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable, Writable } from "node:stream";

/**
 * The one place that starts child processes. No shell parses what comes from outside, messages come in the C locale
 * so that they can be told apart, and a child gets no descriptor of this process but the one that is named.
 */

/** Tools that administer storage live in sbin, which the PATH of an ordinary user or a service may lack. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a tool may say before the rest is thrown away: these are messages and short lists. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

const TIMEOUT_MS = 10_000;

/** The number under which a child sees the descriptor that it inherits. */
export const INHERITED_FD = 3;

export interface ChildOptions {
  /** A descriptor of this process that the child has as {@link INHERITED_FD}, sharing its open file description. */
  readonly inheritedFd?: number;
  /** Replaces the search path; tests hide tools by it. */
  readonly path?: string;
  /** Variables that the child has besides. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface RunOptions extends ChildOptions {
  /** The child is killed with SIGKILL after this long. */
  readonly timeoutMs?: number;
  /** The child is killed at once when this is aborted. */
  readonly signal?: AbortSignal;
  /** Output past this is dropped, for each of the two streams. */
  readonly outputBytesMax?: number;
}

export interface RunResult {
  /**
   * `missing`: there is no such program. `unstartable`: the system cannot start one now, for want of memory, processes or
   * descriptors. `killed`: by the timeout, the signal or somebody else.
   */
  readonly outcome: "exited" | "missing" | "unstartable" | "killed";
  /** -1 unless it exited. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function environment({ path, variables }: ChildOptions): NodeJS.ProcessEnv {
  const inherited = process.env["PATH"] ?? "";
  return { ...variables, PATH: path ?? `${inherited}:${SYSTEM_PATH}`, LC_ALL: "C" };
}

/** Starting fails with these where the search path has no such program, or none that may be run. */
const NO_PROGRAM_CODES: ReadonlySet<string | undefined> = new Set(["ENOENT", "EACCES", "ENOTDIR"]);

interface Started {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** True for what the system has against starting a program, such as no memory or no descriptors: not a defect here. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/**
 * Starts a program with three pipes. Null where the system cannot: Node.js throws some of its reasons, and tells others
 * by an event of a child without pipes. A program that does not exist is told by the event of a child with pipes.
 */
function start(command: string, args: readonly string[], options: ChildOptions): Started | null {
  const inherited = options.inheritedFd === undefined ? [] : [options.inheritedFd];
  try {
    const child = spawn(command, args, {
      env: environment(options),
      shell: false,
      stdio: ["pipe", "pipe", "pipe", ...inherited],
    });
    const { stdin, stdout, stderr } = child as Partial<Started>;
    if (stdin && stdout && stderr) return { child, stdin, stdout, stderr };
    child.on("error", () => undefined);
    return null;
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

/** Collects a stream up to a limit; what comes after is read, so that the child does not block, and dropped. */
function collect(stream: Readable, bytesMax: number): () => string {
  const chunks: Buffer[] = [];
  let room = bytesMax;
  stream.on("data", (chunk: Buffer) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= chunk.length;
  });
  stream.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString("utf8");
}

/** Runs a program to its end. Never rejects: how it ended is in the result. */
export function runChild(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    const started = start(command, args, options);
    if (started === null) {
      resolve({ outcome: "unstartable", exitCode: -1, stdout: "", stderr: "" });
      return;
    }
    const { child, stdin, stdout, stderr } = started;
    const bytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
    const output = collect(stdout, bytesMax);
    const errors = collect(stderr, bytesMax);
    const kill = (): void => {
      child.kill("SIGKILL");
      // What the child has started may live on, and would keep its output open.
      stdout.destroy();
      stderr.destroy();
    };
    const timer = setTimeout(kill, options.timeoutMs ?? TIMEOUT_MS);
    options.signal?.addEventListener("abort", kill);
    if (options.signal?.aborted === true) kill();
    stdin.on("error", () => undefined);
    stdin.end();
    const finish = (outcome: RunResult["outcome"], exitCode: number): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", kill);
      resolve({ outcome, exitCode, stdout: output(), stderr: errors() });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      finish(NO_PROGRAM_CODES.has(error.code) ? "missing" : "unstartable", -1);
    });
    child.on("close", (code) => {
      if (code === null) finish("killed", -1);
      else finish("exited", code);
    });
  });
}

/** A child that stays, to be spoken to line by line. It does not keep this process alive while nobody waits for it. */
export interface LineChild {
  /** Sends a line; the newline is added. Lost without notice when the child is gone: `onClose` tells. */
  send(line: string): void;
  /** While true the event loop stays alive for the child. */
  hold(busy: boolean): void;
  /** No more input: a well-behaved child exits. */
  end(): void;
  readonly pid: number | undefined;
}

export interface LineEvents {
  onLine(line: string): void;
  /** Once: the child, and everything that has its output open, has ended, or it could not be started. */
  onClose(): void;
}

/** An answer longer than this is not one: the child is killed. */
const LINE_BYTES_MAX = 4096;

interface Holdable {
  ref?: () => unknown;
  unref?: () => unknown;
}

/** What stands for a child that could not be started. */
const NO_CHILD: LineChild = {
  send: () => undefined,
  hold: () => undefined,
  end: () => undefined,
  pid: undefined,
};

/** Starts a child that answers in lines. */
export function startLineChild(
  command: string,
  args: readonly string[],
  events: LineEvents,
  options: ChildOptions = {},
): LineChild {
  const started = start(command, args, options);
  if (started === null) {
    setImmediate(() => events.onClose());
    return NO_CHILD;
  }
  const { child, stdin, stdout, stderr } = started;
  let closed = false;
  let partial = "";
  const close = (): void => {
    if (closed) return;
    closed = true;
    events.onClose();
  };
  stdin.on("error", () => undefined);
  stdout.on("error", () => undefined);
  stderr.on("error", () => undefined);
  stderr.resume();
  stdout.setEncoding("utf8");
  stdout.on("data", (text: string) => {
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) events.onLine(line);
    if (partial.length > LINE_BYTES_MAX) child.kill("SIGKILL");
  });
  child.on("error", () => {
    if (child.pid === undefined) close();
  });
  child.on("close", close);
  const holdables = [child, stdin, stdout, stderr] as Holdable[];
  const hold = (busy: boolean): void => {
    for (const handle of holdables) {
      if (busy) handle.ref?.();
      else handle.unref?.();
    }
  };
  hold(false);
  return {
    send: (line) => void stdin.write(`${line}\n`),
    hold,
    end: () => void stdin.end(),
    pid: child.pid,
  };
}

export interface DetachedOptions {
  /** The child's output goes to the end of this file, for the owner's eyes; its folder is made. */
  readonly logPath: string;
  /** The variable in which the child finds the number of the descriptor on which it tells how its start went. */
  readonly tellVariable: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a child that outlives this process, in a session of its own and in the root folder. Resolves with what it tells: everything
 * that it writes to the descriptor before it closes that or ends.
 */
export function startDetached(
  command: string,
  args: readonly string[],
  { logPath, tellVariable, variables }: DetachedOptions,
): Promise<string> {
  mkdirSync(dirname(logPath), { recursive: true, mode: 0o700 });
  const log = openSync(logPath, "a", 0o600);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: "/",
      detached: true,
      env: { ...variables, [tellVariable]: String(INHERITED_FD) },
      shell: false,
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    child.on("error", reject);
    child.unref();
    const tells = child.stdio[INHERITED_FD] as Readable;
    const told = collect(tells, OUTPUT_BYTES_MAX);
    tells.on("close", () => resolve(told()));
  });
}
