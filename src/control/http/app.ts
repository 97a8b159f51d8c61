import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyHttpOptions,
  type FastifyHttpsOptions,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { Log } from "../../util/log.ts";
import { formatSize } from "../../util/units.ts";
import { operationErrorOf } from "../operations/operation-error.ts";
import { isOperationName, OPERATIONS } from "../operations/table.ts";
import { BYTES_TYPE, JSON_TYPE, OperationError, PROBLEM_TYPE } from "../protocol.ts";
import { sendProblem } from "./answer.ts";
import type { Authenticate, Caller } from "./caller.ts";
import type { EventStreams } from "./event-stream.ts";
import { openApiDocument } from "./openapi.ts";
import { addOperationRoutes, type OperationParts } from "./operation-routes.ts";
import { problemOf, RefusedRequest } from "./problem.ts";
import type { TlsFiles } from "./tls-files.ts";

/** Whoever sends a request slower than this keeps a connection from others. */
const REQUEST_MS_MAX = 30_000;

/** A connection without a request holds a place of others. */
const IDLE_MS_MAX = 10_000;

/** Whoever is refused before there is a request has this long to read why, and to hang up. */
const LINGER_MS_MAX = 500;

const HEADER_BYTES_MAX: number = 8 * 1024;

export interface AppParts extends OperationParts {
  readonly log: Log;
  readonly streams: EventStreams;
  /** Why initiators cannot work as they should; empty where they can. */
  readonly unready: () => readonly string[];
  /** Why the daemon is better started anew; empty where nothing is stuck. */
  readonly stuck: () => readonly string[];
  /** Adds routes of its own, such as /metrics; they are for callers with the role "read". */
  readonly addRoutes: (app: FastifyInstance) => void;
  /** Tests are shorter of time. */
  readonly requestMsMax?: number;
}

/** Something that refuses requests which are no HTTP, before there is a route for them. */
const GARBAGE = new RefusedRequest(400, "invalid", "this is no request of HTTP");
const SLOW = new RefusedRequest(408, "invalid", "the request took too long to arrive");
const LONG_HEADERS = new RefusedRequest(431, "invalid", "the headers are too long");

/** Puts together what serves requests; it listens nowhere yet. `tls` null: without. */
export function makeApp(
  parts: AppParts,
  authenticate: Authenticate,
  tls: TlsFiles | null,
): FastifyInstance {
  const app = instance(parts, tls);
  const callers = new WeakMap<FastifyRequest, Caller>();
  const callerOf = (request: FastifyRequest): Caller => {
    const caller = callers.get(request);
    if (caller === undefined) throw new OperationError("internal", "nobody was asked who calls");
    return caller;
  };
  app.addHook("onRequest", (request, _reply, done) => {
    const { authorization } = request.headers;
    try {
      callers.set(request, authenticate({ authorization, address: request.ip }));
    } catch (error) {
      if (!request.url.startsWith("/health/")) throw error;
    }
    done();
  });
  addErrors(app, parts.log);
  addParsers(app);
  addHealth(app, parts, (request) => callers.has(request));
  addOperationRoutes(app, parts, callerOf);
  const document = JSON.stringify(openApiDocument());
  app.get("/v1/openapi.json", async (_request, reply) =>
    reply.header("content-type", JSON_TYPE).send(Buffer.from(document)),
  );
  app.get("/v1/events", (request, reply) => {
    const lastEventId = request.headers["last-event-id"];
    parts.streams.start(reply.raw, lastEventId === undefined ? undefined : String(lastEventId));
    reply.hijack();
  });
  parts.addRoutes(app);
  return app;
}

function instance(parts: AppParts, tls: TlsFiles | null): FastifyInstance {
  const requestTimeout = parts.requestMsMax ?? REQUEST_MS_MAX;
  const http = {
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.ceil(requestTimeout / 4),
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  const options: FastifyHttpOptions<Server, FastifyBaseLogger> = {
    loggerInstance: parts.log as unknown as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout,
    keepAliveTimeout: IDLE_MS_MAX,
    exposeHeadRoutes: false,
    forceCloseConnections: false,
    routerOptions: {
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, string>,
    },
    frameworkErrors: (error, request, reply) =>
      sendProblem(reply, refusalOf(error, request.routeOptions.bodyLimit)),
    clientErrorHandler: (error, socket) => {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ECONNRESET" || !socket.writable) {
        socket.destroy();
        return;
      }
      socket.end(rawProblem(code));
      // The other side need not hang up, and would hold a place of others for ever.
      socket.setTimeout(LINGER_MS_MAX, () => socket.destroy());
    },
  };
  if (tls === null) return fastify({ ...options, http }) as unknown as FastifyInstance;
  const secure = {
    ...options,
    https: { ...http, ...tls, minVersion: "TLSv1.2" as const, handshakeTimeout: requestTimeout },
  } as unknown as FastifyHttpsOptions<TlsServer, FastifyBaseLogger>;
  const app = fastify(secure) as unknown as FastifyInstance;
  // What is written into a handshake that has failed, or does not end, is never sent, and no end comes after it.
  app.server.on("tlsClientError", (_error: Error, socket: Duplex) => socket.destroy());
  return app;
}

/** Where there is no request yet, there is no reply either: the bytes themselves. */
function rawProblem(code: string | undefined): string {
  const refused =
    code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? SLOW
      : code === "HPE_HEADER_OVERFLOW"
        ? LONG_HEADERS
        : GARBAGE;
  const problem = problemOf(refused);
  const content = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(content)}`,
    "connection: close",
    "",
    content,
  ].join("\r\n");
}

function tooLarge(bytesMax: number): string {
  return `the body has more than the ${bytesMax} bytes (${formatSize(bytesMax)}) that it may have here: split it over several requests`;
}

/** What the framework refuses by itself, of a request whose body may have so many bytes. */
function refusalOf(error: FastifyError, bodyBytesMax: number): OperationError {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new RefusedRequest(413, "invalid", tooLarge(bodyBytesMax));
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new RefusedRequest(415, "invalid", `arguments come as ${JSON_TYPE}`);
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new OperationError("invalid", "the request ended before it was complete", error);
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new OperationError("invalid", "the request has no path that makes sense", error);
    case "ECONNRESET":
    case "ECONNABORTED":
      return new OperationError("invalid", "the request ended before it was complete", error);
    default:
      return operationErrorOf(error);
  }
}

function addErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error, request.routeOptions.bodyLimit);
    if (refusal.kind === "internal") log.error({ error }, "a request ran into a defect");
    sendProblem(reply, refusal);
  });
  app.setNotFoundHandler((request, reply) => {
    sendProblem(reply, noRoute(request.method, request.url.split("?", 1)[0] ?? ""));
  });
}

function noRoute(method: string, path: string): OperationError {
  const name = path.slice("/v1/".length);
  if (path.startsWith("/v1/") && isOperationName(name)) {
    const allow = OPERATIONS[name].isReading === true ? "GET, POST" : "POST";
    const message = `${name} is called by ${allow}, not by ${method}`;
    return new RefusedRequest(405, "invalid", message, { allow });
  }
  if (path === "/v1/events" || path === "/v1/openapi.json") {
    return new RefusedRequest(405, "invalid", `${path} is asked for by GET`, { allow: "GET" });
  }
  const message = /^\/v1\/[^/]+\/[^/]+$/.test(path)
    ? `there is no operation ${JSON.stringify(name.slice(0, 64))}`
    : "operations are at /v1/<noun>/<verb>";
  return new OperationError("missing", message);
}

/** Bodies come as they are: what they have to be, only the operation knows. No type at all is JSON. */
function addParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const take = (_request: FastifyRequest, body: Buffer): Promise<Buffer> => Promise.resolve(body);
  app.addContentTypeParser([JSON_TYPE, BYTES_TYPE], { parseAs: "buffer" }, take);
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request: FastifyRequest, body: Buffer) => {
    if (request.headers["content-type"] === undefined) return take(request, body);
    throw new RefusedRequest(415, "invalid", `arguments come as ${JSON_TYPE}`);
  });
}

/** Supervisors look at the status; the reasons are for people, and have names in them that are not for everybody. */
function addHealth(
  app: FastifyInstance,
  { stuck, unready }: AppParts,
  isKnown: (request: FastifyRequest) => boolean,
): void {
  const add = (name: string, [well, ill]: readonly string[], find: () => readonly string[]) => {
    app.get(`/health/${name}`, async (request, reply) => {
      const reasons = find();
      const isWell = reasons.length === 0;
      const told = isWell || !isKnown(request) ? {} : { reasons };
      return reply
        .code(isWell ? 200 : 503)
        .header("content-type", JSON_TYPE)
        .send(Buffer.from(JSON.stringify({ status: isWell ? well : ill, ...told })));
    });
  };
  add("live", ["live", "stuck"], stuck);
  add("ready", ["ready", "unready"], unready);
}
