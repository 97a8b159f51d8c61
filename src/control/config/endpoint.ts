import { isIP } from "node:net";

/** An address and a TCP port. IPv6 addresses are without brackets here. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The port that IANA gave to iSCSI. */
export const ISCSI_PORT = 3260;

const PORT_MAX = 0xffff;

const ENDPOINT = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^[\]:]+))(?::(\d{1,5}))?$/;

/** A host name (RFC 1123), as far as it can be told from a slip of the pen. */
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*$/;

/** What went wrong, as a sentence that follows the name of the setting. */
export type EndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint }
  | { readonly ok: false; readonly message: string };

function refused(message: string): EndpointResult {
  return { ok: false, message };
}

/**
 * Reads "ADDRESS:PORT", "[IPv6]:PORT", or either without the port, which is {@link ISCSI_PORT} then.
 * `portMin` is 0 where "any free port" makes sense, otherwise 1.
 */
export function parseEndpoint(text: string, portMin: 0 | 1): EndpointResult {
  if (isIP(text) === 6) return { ok: true, endpoint: { address: text, port: ISCSI_PORT } };
  const match = ENDPOINT.exec(text);
  if (match === null) {
    return refused(`"${text}" is not an address; write ADDRESS:PORT or [IPV6-ADDRESS]:PORT`);
  }
  const [, bracketed, plain, portText] = match;
  const address = bracketed ?? plain ?? "";
  const port = portText === undefined ? ISCSI_PORT : Number(portText);
  if (port < portMin || port > PORT_MAX) {
    return refused(`the port of "${text}" must be from ${portMin} to ${PORT_MAX}`);
  }
  if (bracketed !== undefined && isIP(address) !== 6) {
    return refused(`"${address}" is not an IPv6 address`);
  }
  const looksLikeIpv4 = /^[\d.]+$/.test(address);
  if (
    bracketed === undefined &&
    isIP(address) !== 4 &&
    (looksLikeIpv4 || !HOST_NAME.test(address))
  ) {
    return refused(`"${address}" is neither an IP address nor a host name`);
  }
  return { ok: true, endpoint: { address, port } };
}

/** The text that {@link parseEndpoint} reads back. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
