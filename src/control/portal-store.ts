import type { IscsiServer } from "../iscsi/server.ts";
import type { Log } from "../util/log.ts";
import type { PortalConfig } from "./config/config.ts";
import { type Endpoint, formatEndpoint } from "./config/endpoint.ts";
import { openPortal } from "./portals.ts";

/** By what a portal is told from others: where it was asked to listen. */
function keyOf({ listen }: PortalConfig): string {
  return formatEndpoint(listen);
}

/** A portal that listens. */
export interface OpenPortal {
  readonly config: PortalConfig;
  /** Where it listens: with the address that its name had, and the port that was free. */
  readonly endpoint: Endpoint;
}

/** The portals of the daemon, as they were asked for. */
export class PortalStore {
  readonly #log: Log;
  readonly #server: IscsiServer;
  readonly #open = new Map<string, OpenPortal>();

  constructor(log: Log, server: IscsiServer) {
    this.#log = log;
    this.#server = server;
  }

  get portals(): readonly OpenPortal[] {
    return [...this.#open.values()];
  }

  /**
   * Listens on a portal that is not there.
   *
   * @throws {StartError} it cannot
   */
  async open(config: PortalConfig): Promise<Endpoint> {
    const endpoint = await openPortal(this.#server, config);
    this.#open.set(keyOf(config), { config, endpoint });
    this.#log.info({ ...endpoint, group: config.group }, "listening");
    return endpoint;
  }

  /** The same for one of a command that may be there already, and need not: it takes commands to put it right. */
  async tryOpen(config: PortalConfig): Promise<void> {
    if (this.#open.has(keyOf(config))) return;
    try {
      await this.open(config);
    } catch (error) {
      this.#log.error({ error }, "portal left out");
    }
  }

  /** Takes no more connections; those that came stay. */
  async close(config: PortalConfig): Promise<void> {
    const portal = this.#open.get(keyOf(config));
    if (portal === undefined) return;
    this.#open.delete(keyOf(config));
    const { address, port } = portal.endpoint;
    await this.#server.unlisten(address, port);
    this.#log.info({ ...portal.endpoint }, "portal closed");
  }
}
