import type { FastifyInstance } from "fastify";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import type { HttpConfig, HttpTls } from "../config/http-shape.ts";
import { messageOf, StartError } from "../start-error.ts";
import type { TlsFiles } from "./app.ts";
import { type Authenticate, tokenAuthentication } from "./caller.ts";

/** Connections at a time: some dozen clients, and readers of events. */
const CONNECTIONS_MAX = 128;

export interface TcpListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes what serves requests. */
  readonly makeApp: (authenticate: Authenticate, tls: TlsFiles | null) => FastifyInstance;
}

interface Listening {
  readonly server: Server;
  readonly endpoint: Endpoint;
  readonly http: HttpConfig;
  readonly authenticate: Authenticate;
}

/** Listens over TCP as the configuration says, which may change. */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  #listening: Listening | null = null;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
  }

  /** Where it listens, with the port as it is; null: nowhere. */
  get endpoint(): Endpoint | null {
    return this.#listening?.endpoint ?? null;
  }

  /**
   * Listens as it is configured; null: no more. Where nothing but tokens and certificates are others, it goes on listening: certificates
   * are read anew each time and hold for new connections; where tokens have changed, connections have to prove themselves anew.
   *
   * @throws {StartError} where nothing could be kept of what there was, it listens no more
   */
  async configure(http: HttpConfig | null): Promise<void> {
    const listening = this.#listening;
    if (listening !== null && http !== null && isSamePlace(listening.http, http)) {
      await this.#renew(listening, http);
      return;
    }
    await this.close();
    if (http !== null) this.#listening = await this.#open(http);
  }

  /** Listens no more, and hangs up. */
  async close(): Promise<void> {
    const listening = this.#listening;
    this.#listening = null;
    if (listening === null) return;
    const { server } = listening;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** No new connections. */
  stopListening(): void {
    this.#listening?.server.close();
  }

  async #renew(listening: Listening, http: HttpConfig): Promise<void> {
    const { server } = listening;
    if (http.tls !== null) setCertificate(server, await readTls(http.tls));
    if (isDeepStrictEqual(listening.http.tokens, http.tokens)) return;
    const authenticate = tokenAuthentication(http.tokens, this.#options.clock);
    this.#listening = { ...listening, http, authenticate };
    server.closeAllConnections();
  }

  async #open(http: HttpConfig): Promise<Listening> {
    const { listen } = http;
    const tls = http.tls === null ? null : await readTls(http.tls);
    const authenticate = tokenAuthentication(http.tokens, this.#options.clock);
    // By the tokens of the moment.
    const current: Authenticate = (credentials) =>
      (this.#listening?.authenticate ?? authenticate)(credentials);
    const server = await this.#serve(current, tls);
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
    return { server, endpoint, http, authenticate };
  }

  async #serve(authenticate: Authenticate, tls: TlsFiles | null): Promise<Server> {
    let app: FastifyInstance;
    try {
      app = this.#options.makeApp(authenticate, tls);
    } catch (error) {
      if (tls === null) throw error;
      throw badCertificate(error);
    }
    await app.ready();
    app.server.maxConnections = CONNECTIONS_MAX;
    return app.server;
  }
}

function isSamePlace(one: HttpConfig, other: HttpConfig): boolean {
  return isDeepStrictEqual(one.listen, other.listen) && (one.tls === null) === (other.tls === null);
}

function badCertificate(error: unknown): StartError {
  return new StartError(`HTTP cannot use its certificate and key: ${messageOf(error)}`);
}

/** @throws {StartError} */
async function readTls({ certFile, keyFile }: HttpTls): Promise<TlsFiles> {
  try {
    return { cert: await readFile(certFile), key: await readFile(keyFile) };
  } catch (error) {
    throw new StartError(`HTTP has no certificate or key: ${messageOf(error)}`);
  }
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
