import type { FastifyInstance } from "fastify";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { Clock, Timer } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import type { HttpConfig } from "../config/http-shape.ts";
import { messageOf, StartError } from "../start-error.ts";
import { type Authenticate, tokenAuthentication } from "./caller.ts";
import { type TlsFiles, TlsReader } from "./tls-files.ts";

/** Connections at a time: some dozen clients, and readers of events. */
const CONNECTIONS_MAX = 128;

/** How long after a failure it is tried again: an address comes up, a certificate is being replaced, another program ends. */
const RETRY_MS = 10_000;

/** For people; the log has the error beside it. */
export const HTTP_FAILURE = "HTTP is not served as the configuration says";

export interface TcpListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes what serves requests. */
  readonly makeApp: (authenticate: Authenticate, tls: TlsFiles | null) => FastifyInstance;
}

interface Listening {
  readonly server: Server;
  /** Also those that have not come to a request, of which the server knows nothing while they have not ended their handshake. */
  readonly sockets: ReadonlySet<Socket>;
  readonly endpoint: Endpoint;
  readonly http: HttpConfig;
}

/** Listens over TCP as the configuration says, which may change. What cannot be had is tried again. */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #certificates: TlsReader;
  #listening: Listening | null = null;
  #tokens: HttpConfig["tokens"] = [];
  #authenticate: Authenticate;
  /** What it was configured to last. */
  #wanted: HttpConfig | null = null;
  #failure: string | null = null;
  #retry: Timer | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
    this.#certificates = new TlsReader(options.clock);
    this.#authenticate = tokenAuthentication([], options.clock);
  }

  /** Where it listens, with the port as it is; null: nowhere. */
  get endpoint(): Endpoint | null {
    return this.#listening?.endpoint ?? null;
  }

  /** Why it does not serve as it is configured; null: it does. */
  get failure(): string | null {
    return this.#failure;
  }

  /**
   * Listens as it is configured; null: no more. Tokens hold at once, whatever else cannot be had; where they have changed, connections
   * have to prove themselves anew. Certificates are read anew each time and hold for new connections. Where it cannot listen elsewhere,
   * or has no good certificate, it goes on as it did, if it may, and tries again until it can.
   *
   * @throws {StartError}
   */
  configure(http: HttpConfig | null): Promise<void> {
    this.#wanted = http;
    return this.#inTurn(() => this.#bringAbout());
  }

  /** Listens no more, for good, and hangs up. */
  async close(): Promise<void> {
    this.#end();
    await this.#hangUp();
  }

  /** No new connections, for good. */
  stopListening(): void {
    this.#end();
    this.#listening?.server.close();
  }

  #end(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #bringAbout(): Promise<void> {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    try {
      await this.#follow(this.#wanted);
      this.#failure = null;
    } catch (error) {
      this.#failure = messageOf(error);
      if (!this.#isClosed)
        this.#retry = this.#options.clock.after(RETRY_MS, () => this.#tryAgain());
      throw error;
    }
  }

  #tryAgain(): void {
    const { log } = this.#options;
    const before = this.#failure;
    this.#inTurn(() => this.#bringAbout()).then(
      () => log.info({}, "HTTP is served as the configuration says"),
      (error: unknown) => {
        if (this.#failure !== before) log.error({ error }, HTTP_FAILURE);
      },
    );
  }

  async #follow(http: HttpConfig | null): Promise<void> {
    this.#takeTokens(http?.tokens ?? []);
    const listening = this.#listening;
    if (listening !== null && http !== null && isSamePlace(listening.http, http)) {
      if (http.tls !== null)
        setCertificate(listening.server, await this.#certificates.read(http.tls));
      return;
    }
    // From now on nobody is to send a token that others can read.
    if (http === null || (http.tls !== null && listening?.http.tls === null)) await this.#hangUp();
    if (http === null) return;
    const tls = http.tls === null ? null : await this.#certificates.read(http.tls);
    const server = await this.#serve(tls);
    if (listening?.endpoint.port === http.listen.port) await this.#hangUp();
    const opened = await this.#open(server, http);
    await this.#hangUp();
    this.#listening = opened;
    if (this.#isClosed) await this.#hangUp();
  }

  #takeTokens(tokens: HttpConfig["tokens"]): void {
    if (isDeepStrictEqual(this.#tokens, tokens)) return;
    this.#tokens = tokens;
    this.#authenticate = tokenAuthentication(tokens, this.#options.clock);
    this.#listening?.server.closeAllConnections();
  }

  async #hangUp(): Promise<void> {
    const listening = this.#listening;
    this.#listening = null;
    if (listening === null) return;
    const { server, sockets } = listening;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  async #open(server: Server, http: HttpConfig): Promise<Listening> {
    const { listen } = http;
    const sockets = socketsOf(server);
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error): void => {
        const where = formatEndpoint(listen);
        reject(new StartError(`HTTP cannot listen on ${where}: ${messageOf(error)}`));
      };
      server.once("error", refuse);
      server.listen({ host: listen.address, port: listen.port, ipv6Only: true }, () => {
        server.off("error", refuse);
        resolve();
      });
    });
    server.on("error", (error) => this.#options.log.error({ error }, "HTTP failed"));
    const { port } = server.address() as AddressInfo;
    const endpoint = { address: listen.address, port };
    this.#options.log.info({ ...endpoint }, "HTTP listening");
    return { server, sockets, endpoint, http };
  }

  async #serve(tls: TlsFiles | null): Promise<Server> {
    let app: FastifyInstance;
    try {
      // By the tokens of the moment.
      app = this.#options.makeApp((credentials) => this.#authenticate(credentials), tls);
    } catch (error) {
      if (tls === null) throw error;
      throw badCertificate(error);
    }
    await app.ready();
    app.server.maxConnections = CONNECTIONS_MAX;
    return app.server;
  }
}

/** The connections that a server has at each moment. */
function socketsOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

function isSamePlace(one: HttpConfig, other: HttpConfig): boolean {
  return isDeepStrictEqual(one.listen, other.listen) && (one.tls === null) === (other.tls === null);
}

function badCertificate(error: unknown): StartError {
  return new StartError(`HTTP cannot use its certificate and key: ${messageOf(error)}`);
}

/** @throws {StartError} */
function setCertificate(server: Server, files: TlsFiles): void {
  try {
    // The framework's type of a server with TLS is that of one without.
    (server as unknown as { setSecureContext(files: TlsFiles): void }).setSecureContext(files);
  } catch (error) {
    throw badCertificate(error);
  }
}
