import { parseAddress, type PortalAddress } from "./address.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { InitiatorError } from "./initiator-error.ts";
import type { InitiatorSession } from "./session.ts";
import type { TextPair } from "./text-keys.ts";

/** One way to a target. */
export interface DiscoveredPortal extends PortalAddress {
  /** -1 where the target gave none. */
  readonly portalGroupTag: number;
}

export interface DiscoveredTarget {
  readonly name: string;
  readonly portals: readonly DiscoveredPortal[];
}

/** RFC 7143 Appendix C: a TargetName, and the TargetAddresses that belong to it. */
export function parseSendTargets(pairs: readonly TextPair[]): DiscoveredTarget[] {
  const targets: { name: string; portals: DiscoveredPortal[] }[] = [];
  for (const [key, value] of pairs) {
    if (key === "TargetName") targets.push({ name: value, portals: [] });
    if (key !== "TargetAddress") continue;
    const target = targets.at(-1);
    if (target === undefined) {
      throw new InitiatorError("protocol", "the target gave an address before a name");
    }
    const tag = /,(\d+)$/.exec(value)?.[1];
    target.portals.push({
      ...parseAddress(value),
      portalGroupTag: tag === undefined ? -1 : Number(tag),
    });
  }
  return targets;
}

/** `which`: `All`, a target's name, or empty for the target of the session. */
export async function sendTargets(
  session: InitiatorSession,
  which = "All",
): Promise<DiscoveredTarget[]> {
  return parseSendTargets(await session.text([["SendTargets", which]]));
}

/** Asks a portal for its targets in a session of its own. */
export async function discover(
  options: Omit<ConnectOptions, "targetName" | "sessionType">,
): Promise<DiscoveredTarget[]> {
  const session = await connect({ ...options, sessionType: "discovery" });
  try {
    const targets = await sendTargets(session);
    await session.logout();
    return targets;
  } finally {
    session.destroy();
  }
}
