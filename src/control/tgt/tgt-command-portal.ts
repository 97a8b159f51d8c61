import { restAfter } from "./parameters.ts";

/** Where to listen. */
export interface TgtPortal {
  /** A host's name or address, without brackets; empty: all addresses. */
  readonly address: string;
  readonly port: number;
}

/** RFC 7143: the port that IANA gave to iSCSI. */
const DEFAULT_PORT = 3260;
const PORT_MAX = 65_535;
const WORD = "portal";

/**
 * The portals in the text of a request: the first is found anywhere, more may follow behind commas, and what is none of them
 * is passed over. Null where there is none, or one that cannot be an address.
 */
export function portalsOf(text: string): readonly TgtPortal[] | null {
  const rest = restAfter(text, WORD);
  if (rest === undefined) return null;
  const parts = `${WORD}=${rest}`.split(",").filter((part) => part.startsWith(WORD));
  const portals = parts.map((part) => parsePortal(part.slice(WORD.length + 1)));
  return portals.every((portal) => portal !== null) ? portals : null;
}

function parsePortal(text: string): TgtPortal | null {
  const match = /^(?:\[([0-9a-fA-F:.]*(?:%[0-9A-Za-z_.-]+)?)\]|([^[\]:]*))(?::([0-9]{0,5}))?$/.exec(
    text,
  );
  if (match === null) return null;
  const [, ipv6, host = "", digits = ""] = match;
  const port = digits === "" ? DEFAULT_PORT : Number(digits);
  if (port > PORT_MAX) return null;
  return { address: ipv6 ?? host, port };
}
