import type { FastifyInstance } from "fastify";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Endpoint } from "./config/endpoint.ts";
import type { HttpConfig, HttpTls } from "./config/http-shape.ts";
import { listenOnSocket } from "./control-socket.ts";
import { type AppParts, makeApp, type TlsFiles } from "./http/app.ts";
import { type Authenticate, SOCKET_CALLER, tokenAuthentication } from "./http/caller.ts";
import { EventLog } from "./http/event-log.ts";
import { publishEvents } from "./http/event-sources.ts";
import { EventStreams } from "./http/event-stream.ts";
import { Idempotency } from "./http/idempotency.ts";
import { Jobs } from "./jobs.ts";
import type { OperationContext } from "./operations/operation.ts";
import { messageOf, StartError } from "./start-error.ts";

/** Commands come one at a time; this leaves room for scripts that start many, and for readers of events. */
const CONNECTIONS_MAX = 128;

export interface ControlServerOptions {
  readonly context: OperationContext;
  readonly log: Log;
  /** Why initiators cannot work as they should, a few words each; the pools that have failed where this is not given. */
  readonly unready?: () => readonly string[];
  /** Routes that are no operations, such as /metrics; they take a token of any role. */
  readonly addRoutes?: (app: FastifyInstance) => void;
  /** Tests are shorter of time. */
  readonly requestMsMax?: number;
}

/** Counts operations that run, and tells when there are none. */
class Running {
  #count = 0;
  readonly #idle: (() => void)[] = [];

  began(): void {
    this.#count += 1;
  }

  ended(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const tell of this.#idle.splice(0)) tell();
  }

  none(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }
}

/** Serves the operations over HTTP: on a unix socket, and over TCP to whoever has a token. */
export class ControlServer {
  /** What happens here, for whoever wants to be told. */
  readonly events: EventLog;
  readonly #parts: AppParts;
  readonly #clock: Clock;
  readonly #running = new Running();
  readonly #servers: Server[] = [];
  readonly #endEvents: () => void;

  constructor(options: ControlServerOptions) {
    const { context, log, addRoutes = () => undefined } = options;
    const { unready = () => failuresOf(context) } = options;
    const { clock } = context;
    this.#clock = clock;
    this.events = new EventLog(context.makeUuid());
    const jobs = new Jobs({
      makeId: context.makeUuid,
      now: context.now,
      onChange: ({ id, operation, by, state }) =>
        this.events.publish("job", { id, operation, by, state }),
    });
    const { daemon, pools } = context;
    const { plane = null, server = null } = daemon ?? {};
    this.#endEvents = publishEvents(this.events, { clock, pools, plane, server });
    this.#parts = {
      context: { ...context, jobs },
      jobs,
      idempotency: new Idempotency(clock),
      events: this.events,
      running: this.#running,
      log,
      streams: new EventStreams(this.events, clock),
      unready,
      addRoutes,
      ...(options.requestMsMax === undefined ? {} : { requestMsMax: options.requestMsMax }),
    };
  }

  /** @throws {StartError} */
  async listen(path: string): Promise<void> {
    const server = await this.#make(() => SOCKET_CALLER, null);
    await listenOnSocket(server, path);
    this.#servers.push(server);
  }

  /**
   * Listens over TCP; resolves with where, with the port as it is.
   *
   * @throws {StartError}
   */
  async listenTcp({ listen, tokens, tls }: HttpConfig): Promise<Endpoint> {
    const server = await this.#make(
      tokenAuthentication(tokens, this.#clock),
      tls === null ? null : await readTls(tls),
    );
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error): void => {
        const where = `${listen.address}:${listen.port}`;
        reject(new StartError(`HTTP cannot listen on ${where}: ${messageOf(error)}`));
      };
      server.once("error", refuse);
      server.listen({ host: listen.address, port: listen.port, ipv6Only: true }, () => {
        server.off("error", refuse);
        resolve();
      });
    });
    server.on("error", (error) => this.#parts.log.error({ error }, "HTTP failed"));
    this.#servers.push(server);
    return { address: listen.address, port: (server.address() as AddressInfo).port };
  }

  /** No new requests; resolves when those that run have ended. The socket's file is gone then. */
  async close(): Promise<void> {
    const servers = this.#servers.splice(0);
    this.#endEvents();
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    this.#parts.streams.close();
    await this.#running.none();
    for (const server of servers) server.closeAllConnections();
    await Promise.all(closed);
  }

  async #make(authenticate: Authenticate, tls: TlsFiles | null): Promise<Server> {
    const app = makeTlsApp(this.#parts, authenticate, tls);
    await app.ready();
    app.server.maxConnections = CONNECTIONS_MAX;
    return app.server;
  }
}

function failuresOf({ pools }: OperationContext): readonly string[] {
  const failed = pools().filter(({ pool }) => pool.failure !== null);
  return failed.map(({ pool }) => `pool ${pool.name} failed`);
}

/** @throws {StartError} */
async function readTls({ certFile, keyFile }: HttpTls): Promise<TlsFiles> {
  try {
    return { cert: await readFile(certFile), key: await readFile(keyFile) };
  } catch (error) {
    throw new StartError(`HTTP has no certificate or key: ${messageOf(error)}`);
  }
}

/** @throws {StartError} the certificate or the key is none */
function makeTlsApp(
  parts: AppParts,
  authenticate: Authenticate,
  tls: TlsFiles | null,
): FastifyInstance {
  try {
    return makeApp(parts, authenticate, tls);
  } catch (error) {
    if (tls === null) throw error;
    throw new StartError(`HTTP cannot use its certificate and key: ${messageOf(error)}`);
  }
}
