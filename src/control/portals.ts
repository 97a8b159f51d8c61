import { isIP } from "node:net";
import { lookup } from "node:dns/promises";
import type { IscsiServer } from "../iscsi/server.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import type { PortalConfig } from "./config/config.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "./config/endpoint.ts";
import { codeOf, messageOf, StartError } from "./start-error.ts";
import { endsWithin } from "./within.ts";

/** How long a name service may take: resolvers ask the next server after five seconds each, and other changes wait meanwhile. */
const LOOKUP_MS_MAX = 20_000;

/** How names of addresses are resolved. */
interface NameService {
  readonly clock: Clock;
  readonly lookup: (name: string) => Promise<{ readonly address: string }>;
}

const systemNames: NameService = { clock: systemClock, lookup: (name) => lookup(name) };

/** What to do about an address that cannot be listened on. */
function advice(error: unknown, { port }: Endpoint): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return (
        `another program has it (to see which: ss -ltnp 'sport = :${port}'); ` +
        `stop that program, or choose another port: --portal 127.0.0.1:${port + 1}`
      );
    case "EADDRNOTAVAIL":
      return "no network interface of this host has that address (to see them: ip address)";
    case "EACCES":
      return "ports below 1024 need the privilege to bind them (CAP_NET_BIND_SERVICE)";
    default:
      return messageOf(error);
  }
}

/** Names are resolved here and once, so that what listens is an address and what is advertised too. */
async function resolved(endpoint: Endpoint, names: NameService): Promise<Endpoint> {
  const name = endpoint.address;
  if (isIP(name) !== 0) return endpoint;
  const finding = names.lookup(name);
  try {
    if (await endsWithin(names.clock, LOOKUP_MS_MAX, finding)) {
      const { address } = await finding;
      return { address, port: endpoint.port };
    }
  } catch (error) {
    throw new StartError(`the address of ${name} cannot be found`, error);
  }
  throw new StartError(`the address of ${name} cannot be found: the name service does not answer`);
}

/**
 * Listens on a portal; gives the endpoint as it is, with the port that was found where any was asked for.
 *
 * @throws {StartError} it cannot
 */
export async function openPortal(
  server: IscsiServer,
  portal: PortalConfig,
  names: NameService = systemNames,
): Promise<Endpoint> {
  const endpoint = await resolved(portal.listen, names);
  const { group, advertise } = portal;
  try {
    const { address, port } = await server.listen({ ...endpoint, group, advertise });
    return { address, port };
  } catch (error) {
    const why = advice(error, endpoint);
    throw new StartError(`cannot listen on ${formatEndpoint(endpoint)}: ${why}`, error);
  }
}

/**
 * The portals that the command line asks for, all in portal group 1.
 *
 * @throws {StartError} one is no address
 */
export function portalsFromArguments(texts: readonly string[]): readonly PortalConfig[] {
  return texts.map((text) => {
    const result = parseEndpoint(text, 0);
    if (!result.ok) throw new StartError(`--portal: ${result.message}`);
    return { listen: result.endpoint, group: 1, advertise: null };
  });
}
