import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Log } from "../util/log.ts";
import { listenOnSocket } from "./control-socket.ts";
import { operationErrorOf } from "./operations/operation-error.ts";
import type { OperationContext, UncheckedRequest } from "./operations/operation.ts";
import { isOperationName, perform } from "./operations/table.ts";
import { type ControlRequest, readRequest } from "./control-request.ts";
import { BYTES_TYPE, type ErrorKind, JSON_TYPE, LINES_TYPE, OperationError } from "./protocol.ts";

/** HTTP has numbers for what went wrong; the kind and the message are in the body. */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  missing: 404,
  exists: 409,
  busy: 409,
  foreign: 409,
  space: 507,
  unsupported: 501,
  corrupt: 500,
  failed: 500,
  io: 500,
  denied: 403,
  internal: 500,
};

/** Whoever sends a request slower than this keeps a connection from others. */
const REQUEST_MS_MAX = 30_000;

/** Commands come one at a time; this leaves room for scripts that start many. */
const CONNECTIONS_MAX = 64;

const HEADER_BYTES_MAX: number = 8 * 1024;

export interface ControlServerOptions {
  readonly context: OperationContext;
  readonly log: Log;
  /** Tests are shorter of time. */
  readonly requestMsMax?: number;
}

/** Serves the operations over HTTP on a unix socket. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  #running = 0;
  #idle: () => void = () => undefined;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    const requestTimeout = options.requestMsMax ?? REQUEST_MS_MAX;
    this.#server = createServer(
      {
        requestTimeout,
        headersTimeout: requestTimeout,
        connectionsCheckingInterval: Math.ceil(requestTimeout / 4),
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** @throws {StartError} */
  listen(path: string): Promise<void> {
    return listenOnSocket(this.#server, path);
  }

  /** No new requests; resolves when those that run have ended. The socket's file is gone then. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#running += 1;
    const reply = new Reply(response, request.headers.accept === LINES_TYPE);
    try {
      const asked = await readRequest(request);
      reply.result(await this.#run(asked, reply));
    } catch (error) {
      const failure = operationErrorOf(error);
      if (failure.kind === "internal") {
        this.#options.log.error({ error }, "an operation ran into a defect");
      }
      reply.error(failure);
      // What was not read of the request must not be taken for the next one.
      if (!request.complete) response.once("finish", () => request.destroy());
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle();
    }
  }

  #run({ name, body, payload }: ControlRequest, reply: Reply): Promise<unknown> {
    if (!isOperationName(name)) {
      throw new OperationError("missing", `there is no operation ${JSON.stringify(name)}`);
    }
    const request: UncheckedRequest = {
      context: this.#options.context,
      body,
      payload,
      progress: (progress) => reply.line({ progress }),
    };
    return perform(name, request);
  }
}

/** One answer: a JSON document, bytes, or, where the client wants progress, lines of JSON. */
class Reply {
  readonly #response: ServerResponse;
  readonly #wantsLines: boolean;

  constructor(response: ServerResponse, wantsLines: boolean) {
    this.#response = response;
    this.#wantsLines = wantsLines;
    // Whoever does not wait for the answer does not get it.
    response.on("error", () => undefined);
  }

  line(value: object): void {
    if (!this.#wantsLines) return;
    if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": LINES_TYPE });
    this.#response.write(`${JSON.stringify(value)}\n`);
  }

  result(value: unknown): void {
    if (this.#wantsLines) {
      this.line({ result: value });
      this.#response.end();
    } else if (value instanceof Uint8Array) this.#end(200, BYTES_TYPE, value);
    else this.#end(200, JSON_TYPE, JSON.stringify(value));
  }

  error({ kind, message }: OperationError): void {
    if (this.#response.headersSent) {
      this.line({ error: { kind, message } });
      this.#response.end();
      return;
    }
    this.#end(STATUS_OF_KIND[kind], JSON_TYPE, JSON.stringify({ kind, message }));
  }

  #end(status: number, type: string, content: string | Uint8Array): void {
    const length = Buffer.byteLength(content);
    this.#response.writeHead(status, { "content-type": type, "content-length": length });
    this.#response.end(content);
  }
}
