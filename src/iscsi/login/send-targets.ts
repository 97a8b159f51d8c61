import { isIPv4, isIPv6 } from "node:net";

import { plainAddress } from "../auth/access-list.ts";
import type { IscsiTarget } from "../target.ts";
import type { TextPair } from "../text/text-pairs.ts";
import { parsePeerName } from "./iscsi-name.ts";
import { formatTargetAddress } from "./login-identity.ts";
import type { SessionType } from "./login-types.ts";

/** A portal as SendTargets lists it. */
export interface PortalListing {
  /** What it listens on; `0.0.0.0` or `::` for every address. */
  readonly address: string;
  readonly port: number;
  readonly portalGroupTag: number;
  /** How initiators reach it where that differs (NAT): a host name or an address. */
  readonly advertised: { readonly address: string; readonly port: number } | null;
}

/** One SendTargets, and everything that the answer depends on. */
export interface SendTargetsQuery {
  /** The key's value: `All`, a target's name, or nothing. */
  readonly value: string;
  readonly sessionType: SessionType;
  /** The target of a normal session. */
  readonly currentTarget: IscsiTarget | null;
  readonly initiatorName: string;
  readonly remoteAddress: string;
  /** This end of the connection: it stands for portals that listen on every address. */
  readonly localAddress: string;
  readonly targets: Iterable<IscsiTarget>;
  readonly portals: readonly PortalListing[];
}

/**
 * Whose records a SendTargets asks for (RFC 7143 Appendix C). Null where the session does not support the value: `All`
 * is for discovery sessions, and "nothing" means the current target, which a discovery session has not.
 */
function asked(query: SendTargetsQuery): readonly IscsiTarget[] | null {
  const { value, sessionType, currentTarget } = query;
  if (value === "All") return sessionType === "discovery" ? [...query.targets] : null;
  if (value === "") return currentTarget === null ? null : [currentTarget];
  const name = parsePeerName(value);
  if (!name.ok) return [];
  if (sessionType === "discovery")
    return [...query.targets].filter((one) => one.name === name.name);
  // A normal session must not be told of others (Appendix C): it learns about its own target only.
  return currentTarget?.name === name.name ? [currentTarget] : [];
}

/** Where a portal is reached by this initiator; null where it is not, as IPv4 wildcards from an IPv6 connection. */
function reachedAt(portal: PortalListing, localAddress: string): string | null {
  if (portal.advertised !== null) {
    return formatTargetAddress(portal.advertised.address, portal.advertised.port);
  }
  const local = plainAddress(localAddress);
  let address = plainAddress(portal.address);
  if (address === "0.0.0.0") {
    if (!isIPv4(local)) return null;
    address = local;
  } else if (isIPv6(address) && /^[0:]+$/.test(address)) {
    address = local;
  }
  return formatTargetAddress(address, portal.port);
}

/**
 * The answer: for every target that the initiator may use, its name and the portals of its groups. The answer is null
 * where the key is to be answered with `Reject`. A target that the initiator may not use is left out, and so is one
 * that no portal leads to.
 */
export function sendTargets(query: SendTargetsQuery): readonly TextPair[] | null {
  const targets = asked(query);
  if (targets === null) return null;
  const pairs: TextPair[] = [];
  for (const target of targets) {
    if (!target.access.allows(query.remoteAddress, query.initiatorName)) continue;
    const addresses = new Set<string>();
    for (const portal of query.portals) {
      if (!target.isInPortalGroup(portal.portalGroupTag)) continue;
      const address = reachedAt(portal, query.localAddress);
      if (address !== null) addresses.add(`${address},${portal.portalGroupTag}`);
    }
    if (addresses.size === 0) continue;
    pairs.push({ key: "TargetName", value: target.name });
    for (const value of addresses) pairs.push({ key: "TargetAddress", value });
  }
  return pairs;
}
