import { createServer, type Server, type Socket } from "node:net";
import { assert } from "../util/assert.ts";
import type { Clock, Timer } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { RandomBytes } from "../util/random.ts";
import { Connection } from "./connection.ts";
import {
  CLOSE_TIMEOUT_MS,
  CONNECTIONS_MAX,
  LOGIN_TIMEOUT_MS,
  RECEIVE_BUFFER_BYTES,
  SWEEP_INTERVAL_MS,
} from "./limits.ts";
import type { DiscoveryPolicy, LoginResult } from "./login/login-types.ts";
import { sendTargets } from "./login/send-targets.ts";
import { DEFAULT_PINGS, type PingSettings } from "./ping-watch.ts";
import type { PortalAddress } from "./portal.ts";
import type { ServerContext } from "./server-context.ts";
import type { Session } from "./session.ts";
import { ServerTotals } from "./server-totals.ts";
import { type SessionListener, SessionRegistry } from "./session-registry.ts";
import type { IscsiTarget } from "./target.ts";
import type { TextPair } from "./text/text-pairs.ts";
import { TransportPools } from "./transport-pools.ts";
import { Turn } from "./turn.ts";

/** What can be set tighter or wider than the defaults of `limits.ts`. */
export interface ServerLimits {
  readonly connectionsMax: number;
  readonly loginTimeoutMs: number;
  /** For discovery, and where a target says nothing else. */
  readonly pings: PingSettings;
}

const DEFAULT_LIMITS: ServerLimits = {
  connectionsMax: CONNECTIONS_MAX,
  loginTimeoutMs: LOGIN_TIMEOUT_MS,
  pings: DEFAULT_PINGS,
};

export interface ServerOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly discovery: DiscoveryPolicy;
  /** Whether the event loop spins for a moment between commands (see `Turn`). */
  readonly poll: "auto" | "off";
  readonly limits?: Partial<ServerLimits>;
}

/** A portal that listens. */
interface Portal {
  readonly server: Server;
  readonly address: PortalAddress;
}

/** What the server holds at this moment, for statistics and tests. */
export interface ServerStatistics {
  readonly connections: number;
  readonly sessions: number;
  /** Of the shared pools, in bytes. */
  readonly lentBytes: number;
}

/** The iSCSI target node (RFC 7143 4.4.1): portals, connections, sessions and targets. */
export class IscsiServer {
  readonly #options: ServerOptions;
  readonly #limits: ServerLimits;
  readonly #context: ServerContext;
  readonly #portals: Portal[] = [];
  readonly #targets: Map<string, IscsiTarget> = new Map();
  readonly #connections: Set<Connection> = new Set();
  /** Connections that only send their last bytes, and since when. */
  readonly #draining: Map<Connection, number> = new Map();
  /** What it has seen since it was started. */
  readonly totals: ServerTotals = new ServerTotals();
  #sweep: Timer | null = null;
  #stopping = false;
  #suspended = false;
  /** Called when a connection has gone. */
  readonly #watchers = new Set<() => void>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { log, clock, randomBytes, discovery } = options;
    const sessions = new SessionRegistry();
    this.#context = {
      log,
      clock,
      randomBytes,
      discovery,
      sessions,
      totals: this.totals,
      pings: this.#limits.pings,
      turn: new Turn(clock, options.poll === "auto"),
      pools: new TransportPools(),
      receiveBuffer: Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES),
      admits: () => true,
      findTarget: (name) => this.#targets.get(name) ?? null,
      listTargets: (connection, login, value) => this.#listTargets(connection, login, value),
      openSession: (connection, login, firstCmdSn, ready) => {
        const { group } = connection.portal;
        sessions.open(login, group, connection, firstCmdSn, (session) => {
          // The session before it may have taken its time to end.
          const wanted = this.#targets.get(session.target.name) === session.target;
          if (connection.live && wanted && !this.#stopping) ready(session);
          else sessions.close(session, "the connection or the target was lost during login");
        });
      },
      connectionDraining: (connection) => this.#draining.set(connection, clock.nowMs()),
      connectionClosed: (connection) => this.#connectionClosed(connection),
      coldReset: (target) =>
        void this.#closeSessions((session) => session.target === target, "the target was reset"),
    };
  }

  get statistics(): ServerStatistics {
    return {
      connections: this.#connections.size,
      sessions: this.#context.sessions.size,
      lentBytes: this.#context.pools.lentBytes,
    };
  }

  get targets(): ReadonlyMap<string, IscsiTarget> {
    return this.#targets;
  }

  /** Asks somebody else, too, whether an initiator may log in to a target: for the logins to come. */
  restrictLogins(admits: (target: string, initiator: string) => boolean): void {
    this.#context.admits = admits;
  }

  /** Where it listens, with the ports as they are. */
  get portals(): readonly PortalAddress[] {
    return this.#portals.map(({ address }) => address);
  }

  get sessions(): Iterable<Session> {
    return this.#context.sessions.sessions;
  }

  /** Tells of sessions that begin and end. Returns the function that unsubscribes. */
  subscribeSessions(listener: SessionListener): () => void {
    return this.#context.sessions.subscribe(listener);
  }

  get connections(): Iterable<Connection> {
    return this.#connections;
  }

  /** Who may ask for the targets, from the next login on. */
  configureDiscovery(discovery: DiscoveryPolicy): void {
    this.#context.discovery = discovery;
  }

  /** While true, connections are closed as they come; those that are there go on. */
  suspend(isSuspended: boolean): void {
    this.#suspended = isSuspended;
  }

  addTarget(target: IscsiTarget): void {
    assert(!this.#targets.has(target.name), "a target name is used once");
    this.#targets.set(target.name, target);
  }

  /**
   * Forgets the target: nobody can log in to it any more, initiators that are there are asked to log out and given `graceMs` for it, and
   * what is running then is ended. Resolves when nothing of its sessions is running any more.
   */
  async removeTarget(name: string, graceMs: number = 0): Promise<void> {
    const target = this.#targets.get(name);
    if (target === undefined) return;
    this.#targets.delete(name);
    const isOfTarget = (session: Session): boolean => session.target === target;
    await this.endSessions(isOfTarget, "the target was removed", graceMs);
  }

  /**
   * Asks the initiators of some sessions to log out, gives them `graceMs` for it, and ends what is there then. Resolves when nothing of
   * those sessions is running any more.
   */
  async endSessions(
    isMeant: (session: Session) => boolean,
    reason: string,
    graceMs: number,
  ): Promise<void> {
    if (graceMs > 0) {
      const isMine = ({ session }: Connection): boolean => session !== null && isMeant(session);
      const seconds = Math.ceil(graceMs / 1000);
      for (const connection of this.#connections) {
        if (isMine(connection)) connection.requestLogout(seconds);
      }
      await this.#connectionsGone(graceMs, isMine);
    }
    await this.#closeSessions(isMeant, reason);
  }

  #closeSessions(isMeant: (session: Session) => boolean, reason: string): Promise<void[]> {
    const { sessions } = this.#context;
    const mine = [...sessions.sessions].filter((session) => isMeant(session));
    return Promise.all(
      mine.map((session) => new Promise<void>((done) => sessions.close(session, reason, done))),
    );
  }

  /** Listens on a portal; port 0 takes any free one. Resolves with the portal as it is; rejects as `net.Server` does. */
  async listen(portal: PortalAddress): Promise<PortalAddress> {
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: portal.address, port: portal.port, ipv6Only: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const bound = server.address();
    assert(bound !== null && typeof bound === "object", "a TCP server has an address");
    const address = { ...portal, port: bound.port };
    server.on("error", (error) => {
      this.#options.log.error({ error, portal: address }, "portal failed");
    });
    server.on("connection", (socket) => this.#accept(socket, address));
    this.#portals.push({ server, address });
    if (this.#sweep === null) this.#scheduleSweep();
    return address;
  }

  /** Listens on a portal no more; who came over it stays. Resolves when its port is free. False where there is no such portal. */
  async unlisten(address: string, port: number): Promise<boolean> {
    const isMeant = ({ address: bound }: Portal): boolean =>
      bound.address === address && bound.port === port;
    const index = this.#portals.findIndex(isMeant);
    const [portal] = index === -1 ? [] : this.#portals.splice(index, 1);
    if (portal === undefined) return false;
    await new Promise((done) => portal.server.close(done));
    return true;
  }

  #accept(socket: Socket, portal: PortalAddress): void {
    if (this.#suspended) {
      this.#options.log.info({ peer: socket.remoteAddress }, "connection refused: offline");
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    if (this.#stopping || !this.#makeRoom()) {
      this.#options.log.warn({ peer: socket.remoteAddress }, "connection refused: too many");
      this.totals.connectionsRefused += 1;
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    const connection = new Connection(this.#context, socket, portal);
    this.totals.connectionOpened(connection.statistics);
    this.#connections.add(connection);
  }

  /** Where all places are taken, the oldest connection that has not logged in yet gives way. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#limits.connectionsMax) return true;
    for (const connection of this.#connections) {
      if (connection.loggedIn) continue;
      this.#connections.delete(connection);
      connection.drop("too many connections, and this one had not logged in");
      return true;
    }
    return false;
  }

  #connectionClosed(connection: Connection): void {
    this.#connections.delete(connection);
    this.totals.connectionClosed(connection.statistics);
    this.#draining.delete(connection);
    const { session } = connection;
    if (session !== null) this.#context.sessions.close(session, "its connection was closed");
    for (const watch of this.#watchers) watch();
  }

  #listTargets(
    connection: Connection,
    login: LoginResult,
    value: string,
  ): readonly TextPair[] | null {
    return sendTargets({
      value,
      sessionType: login.sessionType,
      currentTarget: login.target,
      initiatorName: login.initiatorName,
      remoteAddress: connection.remoteAddress,
      localAddress: connection.localAddress,
      targets: this.#targets.values(),
      portals: this.#portals.map(({ address }) => ({
        address: address.address,
        port: address.port,
        portalGroupTag: address.group,
        advertised: address.advertise,
      })),
    });
  }

  #scheduleSweep(): void {
    this.#sweep = this.#options.clock.after(SWEEP_INTERVAL_MS, () => {
      this.#sweepConnections(this.#options.clock.nowMs());
      this.#scheduleSweep();
    });
  }

  /** Drops who does not log in, does not answer, or does not take its last bytes. */
  #sweepConnections(nowMs: number): void {
    const { loginTimeoutMs } = this.#limits;
    for (const connection of this.#connections) {
      if (!connection.live) continue;
      if (!connection.loggedIn) {
        if (nowMs - connection.acceptedMs < loginTimeoutMs) continue;
        this.totals.loginTimeouts += 1;
        connection.drop("the login took too long");
      } else if (connection.credit.stagedFull) {
        // It is not the initiator that is silent: we do not listen until a slow volume has taken what is here.
        connection.pings.heard(nowMs);
      } else {
        const step = connection.pings.step(nowMs);
        if (step === "ask") {
          connection.log.debug({}, "asking whether the initiator lives");
          connection.ping();
        } else if (step === "drop") connection.drop("the initiator is silent");
      }
    }
    for (const [connection, sinceMs] of this.#draining) {
      if (nowMs - sinceMs >= CLOSE_TIMEOUT_MS) connection.drop("its last bytes are not taken");
    }
  }

  /**
   * Stops in order: no new connections; initiators are asked to log out and given `graceMs` for it; what is running then
   * is ended. Resolves when no I/O of any session is running. Flushing volumes is up to their owner.
   */
  async shutdown(graceMs: number): Promise<void> {
    this.#stopping = true;
    const closing = this.#portals.map(({ server }) => new Promise((done) => server.close(done)));
    const seconds = Math.ceil(graceMs / 1000);
    for (const connection of this.#connections) {
      if (!connection.loggedIn) connection.drop("the target is shutting down");
      else if (connection.session === null) connection.finish();
      else if (graceMs > 0) connection.requestLogout(seconds);
    }
    await this.#connectionsGone(graceMs);
    const { sessions } = this.#context;
    await Promise.all(
      [...sessions.sessions].map(
        (session) =>
          new Promise<void>((done) => sessions.close(session, "the target is shutting down", done)),
      ),
    );
    for (const connection of this.#connections) connection.drop("the target is shutting down");
    // The portals do not know the sockets of connections any more: see `ConnectionSocket`.
    await this.#connectionsGone(CLOSE_TIMEOUT_MS);
    await Promise.all(closing);
    this.#sweep?.cancel();
  }

  /** Resolves when all connections of a kind are gone, or after `timeoutMs`. */
  #connectionsGone(
    timeoutMs: number,
    isMeant: (connection: Connection) => boolean = () => true,
  ): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#watchers.delete(check);
        resolve();
      };
      const check = (): void => {
        if (![...this.#connections].some(isMeant)) finish();
      };
      const timer = this.#options.clock.after(timeoutMs, finish);
      this.#watchers.add(check);
      check();
    });
  }
}
