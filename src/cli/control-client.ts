import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Agent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import {
  type ArgumentsOf,
  BYTES_TYPE,
  ERROR_KINDS,
  type ErrorKind,
  type JobReport,
  JSON_TYPE,
  LINES_TYPE,
  type OperationName,
  OperationError,
  type Progress,
  type ReplyOf,
} from "../control/protocol.ts";

export interface CallOptions {
  readonly payload?: Uint8Array;
  readonly onProgress?: (progress: Progress) => void;
  /** Of long operations: aborted, it is asked to stop, and the call rejects when it has. */
  readonly signal?: AbortSignal;
  /** It was asked to stop, and has to go on: why, and how to come back to it. */
  readonly onNoStop?: (why: string) => void;
}

/** Operations on pools, wherever they are done: by a daemon, or by this command itself. Errors are OperationErrors. */
export interface Operations {
  call<Name extends OperationName>(
    name: Name,
    body: ArgumentsOf<Name>,
    options?: CallOptions,
  ): Promise<ReplyOf<Name>>;
  close(): Promise<void>;
}

/** An answer longer than this is not one of a daemon: a page of extents has less than 1 MiB, data 4 MiB. */
const ANSWER_BYTES_MAX: number = 64 * 1024 * 1024;

/** How long is waited before it is asked again how far a job is: what is over soon is seen soon. */
const JOB_WAIT_MS_MIN = 10;
const JOB_WAIT_MS_MAX = 500;

/** The system's codes for a socket behind which nobody is. */
const NOBODY: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Speaks to the daemon behind a socket, over as many connections as there are calls at a time. */
export class ControlClient implements Operations {
  readonly #socketPath: string;
  readonly #without: string;
  readonly #agent = new Agent({ keepAlive: true });

  /** @param without what else can be done where no daemon answers, as the end of a sentence */
  constructor(socketPath: string, without: string = "") {
    this.#socketPath = socketPath;
    this.#without = without;
  }

  async call<Name extends OperationName>(
    name: Name,
    body: ArgumentsOf<Name>,
    options: CallOptions = {},
  ): Promise<ReplyOf<Name>> {
    if (options.signal !== undefined) {
      return (await this.#callAsJob(name, body, options.signal, options)) as ReplyOf<Name>;
    }
    const answer = await this.#send(name, body, options);
    const { statusCode } = answer;
    const type = answer.headers["content-type"] ?? "";
    // The types of replies are those of the program that answers, which is this one's own daemon.
    if (type === LINES_TYPE) return (await resultOfLines(answer, options)) as ReplyOf<Name>;
    const content = await readAll(answer);
    if (statusCode === 200 && type === BYTES_TYPE) return content as Uint8Array as ReplyOf<Name>;
    const value = parse(content.toString("utf8"));
    if (statusCode === 200) return value as ReplyOf<Name>;
    throw errorOf(value);
  }

  /** Only what nobody waits for can be asked to stop: it is begun as a job, and then waited for. */
  async #callAsJob(
    name: string,
    body: object,
    signal: AbortSignal,
    { onProgress, onNoStop }: CallOptions,
  ): Promise<unknown> {
    signal.throwIfAborted();
    const content = JSON.stringify(body);
    const headers = { ...headersOf(content), prefer: "respond-async" };
    const path = `/v1/${name}`;
    const answer = await this.#ask({ method: "POST", path, headers }, content);
    const value = parse((await readAll(answer)).toString("utf8"));
    // What is done at once is no job.
    if (answer.statusCode === 200) return value;
    if (answer.statusCode !== 202) throw errorOf(value);
    let job = value as JobReport;
    let isAsked = false;
    for (let count = 0; job.state === "running"; count += 1) {
      if (job.progress !== null) onProgress?.(job.progress);
      const waitMs = Math.min(JOB_WAIT_MS_MIN * 2 ** count, JOB_WAIT_MS_MAX);
      if (isAsked) await sleep(waitMs);
      else await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted && !isAsked) {
        isAsked = true;
        const { id } = job;
        await this.call("job/cancel", { id }).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          onNoStop?.(`${why}; thinlun job show ${id} tells how far it is`);
        });
      }
      job = await this.call("job/show", { id: job.id });
    }
    if (job.state === "done") return job.reply;
    throw errorOf(job.problem);
  }

  /** What the daemon serves at a path that is no operation's, such as /metrics. */
  async text(path: string): Promise<string> {
    const answer = await this.#ask({ method: "GET", path });
    const content = (await readAll(answer)).toString("utf8");
    if (answer.statusCode === 200) return content;
    throw errorOf(parse(content));
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  #send(name: string, body: object, options: CallOptions): Promise<IncomingMessage> {
    const { payload, onProgress } = options;
    const query = payload === undefined ? "" : `?${queryOf(body)}`;
    const content = payload ?? JSON.stringify(body);
    const headers = {
      "content-type": payload === undefined ? JSON_TYPE : BYTES_TYPE,
      "content-length": Buffer.byteLength(content),
      ...(onProgress === undefined ? {} : { accept: LINES_TYPE }),
    };
    return this.#ask({ method: "POST", path: `/v1/${name}${query}`, headers }, content);
  }

  #ask(options: RequestOptions, content: string | Uint8Array = ""): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const where = { socketPath: this.#socketPath, agent: this.#agent };
      const request = httpRequest({ ...where, ...options }, resolve);
      request.on("error", (error) => reject(this.#explain(error)));
      request.end(content);
    });
  }

  #explain(error: Error): OperationError {
    const code = codeOf(error);
    if (NOBODY.has(code)) {
      return new OperationError(
        "missing",
        `no daemon answers on ${this.#socketPath}: start one (thinlun serve), or name its folder with --state-dir${this.#without}`,
        error,
      );
    }
    if (code === "EACCES" || code === "EPERM") {
      return new OperationError(
        "foreign",
        `${this.#socketPath} belongs to another user: run this as the user of the daemon`,
        error,
      );
    }
    return new OperationError("io", `the daemon went away: ${error.message}`, error);
  }
}

function headersOf(content: string): Readonly<Record<string, string | number>> {
  return { "content-type": JSON_TYPE, "content-length": Buffer.byteLength(content) };
}

function queryOf(body: object): string {
  const pairs = Object.entries(body).map(([key, value]): [string, string] => [key, String(value)]);
  return new URLSearchParams(pairs).toString();
}

async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > ANSWER_BYTES_MAX) throw new Error("its answer does not end");
      yield chunk;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError("io", `the daemon went away: ${reason}`, error);
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(answer)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Line {
  readonly progress?: Progress;
  readonly error?: unknown;
  readonly result?: unknown;
}

async function resultOfLines(
  answer: IncomingMessage,
  { onProgress }: CallOptions,
): Promise<unknown> {
  let rest = "";
  // A chunk may end in the middle of a character.
  const decoder = new StringDecoder("utf8");
  for await (const chunk of chunksOf(answer)) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line = parse(text) as Line;
      if (line.progress !== undefined) onProgress?.(line.progress);
      else if (line.error !== undefined) throw errorOf(line.error);
      else return line.result;
    }
  }
  throw new OperationError("io", "the daemon went away before it was done");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new OperationError("io", "the daemon's answer is not understood", error);
  }
}

function errorOf(value: unknown): OperationError {
  const { kind, detail } = (value ?? {}) as { kind?: unknown; detail?: unknown };
  const known = ERROR_KINDS.find((candidate): candidate is ErrorKind => candidate === kind);
  const text = typeof detail === "string" ? detail : "the daemon failed and does not say why";
  return new OperationError(known ?? "internal", text);
}
