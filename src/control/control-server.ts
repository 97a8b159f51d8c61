import type { FastifyInstance } from "fastify";
import type { Server } from "node:http";
import type { Log } from "../util/log.ts";
import type { Endpoint } from "./config/endpoint.ts";
import type { HttpConfig } from "./config/http-shape.ts";
import { listenOnSocket } from "./control-socket.ts";
import { type AppParts, makeApp } from "./http/app.ts";
import { SOCKET_CALLER } from "./http/caller.ts";
import { EventLog } from "./http/event-log.ts";
import { publishEvents } from "./http/event-sources.ts";
import { EventStreams } from "./http/event-stream.ts";
import { Idempotency } from "./http/idempotency.ts";
import { TcpListener } from "./http/tcp-listener.ts";
import { stuckness } from "./health.ts";
import { Jobs } from "./jobs.ts";
import type { JobEvent, JobReport } from "./protocol.ts";
import { LoopWatch } from "./loop-watch.ts";
import type { OperationContext } from "./operations/operation.ts";

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
  readonly #running = new Running();
  readonly #tcp: TcpListener;
  readonly #loop: LoopWatch;
  #server: Server | null = null;
  readonly #endEvents: () => void;

  constructor(options: ControlServerOptions) {
    const { context, log, addRoutes = () => undefined } = options;
    const { unready = () => failuresOf(context) } = options;
    const { clock } = context;
    this.#loop = new LoopWatch(clock);
    this.events = new EventLog(context.makeUuid());
    const jobs = new Jobs({
      makeId: context.makeUuid,
      now: context.now,
      clock,
      onChange: (job) => this.events.publish("job", jobEvent(job)),
      onProgress: (job) => this.events.tell("job", jobEvent(job)),
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
      stuck: () => stuckness({ stallMs: this.#loop.worstMs, pools: pools() }),
      addRoutes,
      ...(options.requestMsMax === undefined ? {} : { requestMsMax: options.requestMsMax }),
    };
    this.#tcp = new TcpListener({
      clock,
      log,
      makeApp: (authenticate, tls) => makeApp(this.#parts, authenticate, tls),
    });
  }

  /** @throws {StartError} */
  async listen(path: string): Promise<void> {
    const app = makeApp(this.#parts, () => SOCKET_CALLER, null);
    await app.ready();
    app.server.maxConnections = CONNECTIONS_MAX;
    await listenOnSocket(app.server, path);
    this.#loop.start();
    this.#server = app.server;
  }

  /**
   * Listens over TCP as it is configured, or no more; resolves with where, with the port as it is. It is tried again where it fails.
   *
   * @throws {StartError}
   */
  async configureTcp(http: HttpConfig | null): Promise<Endpoint | null> {
    await this.#tcp.configure(http);
    return this.#tcp.endpoint;
  }

  /** Why it does not serve over TCP as it is configured; null: it does. */
  get tcpFailure(): string | null {
    return this.#tcp.failure;
  }

  /** No new requests; resolves when those that run have ended. The socket's file is gone then. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#loop.stop();
    this.#endEvents();
    const closed = new Promise<void>((resolve) => {
      if (server === null) resolve();
      else server.close(() => resolve());
    });
    this.#tcp.stopListening();
    this.#parts.streams.close();
    this.#parts.jobs.cancelAll();
    await this.#running.none();
    server?.closeAllConnections();
    await closed;
    await this.#tcp.close();
  }
}

function jobEvent({ id, operation, by, state, canStop, progress }: JobReport): JobEvent {
  return { id, operation, by, state, canStop, progress };
}

function failuresOf({ pools }: OperationContext): readonly string[] {
  const failed = pools().filter(({ pool }) => pool.failure !== null);
  return failed.map(({ pool }) => `pool ${pool.name} failed`);
}
