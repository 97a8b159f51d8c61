import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { REQUEST_MS_MAX } from "./limits.ts";

/** A port at which servers are listened to. */
export interface Listening {
  readonly port: number;
  close(): void;
}

/** The network as the client sees it. */
export interface IsnsNetwork {
  /** Rejects where nobody answers. */
  connect(address: string, port: number): Promise<Duplex>;
  /** On all addresses, at any free port. */
  listen(onStream: (stream: Duplex) => void): Promise<Listening>;
}

async function connectTo(address: string, port: number): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true });
  socket.setTimeout(REQUEST_MS_MAX, () => socket.destroy(new Error("it does not answer")));
  await once(socket, "connect");
  socket.setTimeout(0);
  return socket;
}

async function listenOnAny(onStream: (stream: Duplex) => void): Promise<Listening> {
  const server = createServer(onStream);
  server.listen(0);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, close: () => void server.close() };
}

/** The network of this host. */
export const systemNetwork: IsnsNetwork = { connect: connectTo, listen: listenOnAny };

/** The addresses at which other hosts reach this one. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
    .map(({ address }) => address);
}

/** What this host's targets are registered as. The host's own initiator has its name for itself. */
export function defaultEntity(): string {
  return `thinlun.${hostname()}`;
}
