import type { LoginStatus } from "./login/login-status.ts";
import { ConnectionStatistics } from "./connection-statistics.ts";

/** What a server has seen since it was started. Everything only grows. */
export class ServerTotals {
  connectionsAccepted = 0;
  /** Connections that were turned away at once: there were too many. */
  connectionsRefused = 0;
  normalLogins = 0;
  discoveryLogins = 0;
  /** By the status that the initiator was given. */
  readonly refusedLogins: Map<LoginStatus, number> = new Map();
  /** Connections that ended because the peer broke the protocol. */
  protocolErrors = 0;
  /** Connections that took too long to log in. */
  loginTimeouts = 0;
  /** Of the connections that are over. */
  readonly #past: ConnectionStatistics = new ConnectionStatistics();
  readonly #present: Set<ConnectionStatistics> = new Set();

  connectionOpened(statistics: ConnectionStatistics): void {
    this.connectionsAccepted += 1;
    this.#present.add(statistics);
  }

  connectionClosed(statistics: ConnectionStatistics): void {
    if (this.#present.delete(statistics)) this.#past.add(statistics);
  }

  loginRefused(status: LoginStatus): void {
    this.refusedLogins.set(status, (this.refusedLogins.get(status) ?? 0) + 1);
  }

  /** Of all connections, those that are there included. */
  get connections(): ConnectionStatistics {
    const sum = new ConnectionStatistics();
    sum.add(this.#past);
    for (const statistics of this.#present) sum.add(statistics);
    return sum;
  }
}
