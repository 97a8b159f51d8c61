import { isIPv6 } from "node:net";
import { InitiatorError } from "./initiator-error.ts";
import { ISCSI_PORT } from "./limits.ts";

/** Where a portal listens. */
export interface PortalAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, a bare IPv6 address; a portal group tag after a comma is dropped. */
export function parseAddress(text: string): PortalAddress {
  const [place = ""] = text.split(",", 1);
  if (isIPv6(place)) return { address: place, port: ISCSI_PORT };
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(place);
  const plain = /^([^:\s]+)(?::(\d+))?$/.exec(place);
  const [, address = "", port] = bracketed ?? plain ?? [];
  const number = port === undefined ? ISCSI_PORT : Number(port);
  if (address === "" || number < 1 || number > 65_535) {
    throw new InitiatorError("invalid", `not an address of a portal: ${text}`);
  }
  return { address, port: number };
}

export function addressText(portal: PortalAddress): string {
  const host = isIPv6(portal.address) ? `[${portal.address}]` : portal.address;
  return `${host}:${portal.port}`;
}
