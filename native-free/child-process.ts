import { spawn, type ChildProcess } from "node:child_process";
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
}

export interface RunOptions extends ChildOptions {
  /** The child is killed with SIGKILL after this long. */
  readonly timeoutMs?: number;
  /** Output past this is dropped, for each of the two streams. */
  readonly outputBytesMax?: number;
}

export interface RunResult {
  /** `missing`: there is no such program. `killed`: by the timeout or somebody else. */
  readonly outcome: "exited" | "missing" | "killed";
  /** -1 unless it exited. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function environment(path: string | undefined): NodeJS.ProcessEnv {
  const inherited = process.env["PATH"] ?? "";
  return { PATH: path ?? `${inherited}:${SYSTEM_PATH}`, LC_ALL: "C" };
}

function start(command: string, args: readonly string[], options: ChildOptions): ChildProcess {
  const inherited = options.inheritedFd === undefined ? [] : [options.inheritedFd];
  return spawn(command, args, {
    env: environment(options.path),
    shell: false,
    stdio: ["pipe", "pipe", "pipe", ...inherited],
  });
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
    const child = start(command, args, options);
    const { stdin, stdout, stderr } = piped(child);
    const bytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
    const output = collect(stdout, bytesMax);
    const errors = collect(stderr, bytesMax);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? TIMEOUT_MS);
    stdin.on("error", () => undefined);
    stdin.end();
    const finish = (outcome: RunResult["outcome"], exitCode: number): void => {
      clearTimeout(timer);
      resolve({ outcome, exitCode, stdout: output(), stderr: errors() });
    };
    child.on("error", () => {
      if (child.pid === undefined) finish("missing", -1);
    });
    child.on("close", (code) => {
      if (code === null) finish("killed", -1);
      else finish("exited", code);
    });
  });
}

export interface Pipes {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

function piped(child: ChildProcess): Pipes {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) {
    throw new TypeError("a child was started without pipes");
  }
  return { stdin, stdout, stderr };
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

/** Starts a child that answers in lines. */
export function startLineChild(
  command: string,
  args: readonly string[],
  events: LineEvents,
  options: ChildOptions = {},
): LineChild {
  const child = start(command, args, options);
  const { stdin, stdout, stderr } = piped(child);
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
