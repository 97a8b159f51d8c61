import type { AuthenticationPolicy } from "../auth/authentication-policy.ts";
import type { ParameterOffers } from "../parameters.ts";
import type { IscsiTarget, Redirect } from "../target.ts";
import type { TextPair } from "../text/text-pairs.ts";
import { parsePeerName } from "./iscsi-name.ts";
import { LoginStatus } from "./login-status.ts";
import type { LoginContext, SessionType } from "./login-types.ts";

/** Who logs in, to what, and on which terms: known from the first complete text on. */
export interface LoginIdentity {
  readonly initiatorName: string;
  readonly initiatorAlias: string | null;
  readonly sessionType: SessionType;
  readonly target: IscsiTarget | null;
  /** The terms as they are now: a change of settings does not change the rules of a login that is under way. */
  readonly authentication: AuthenticationPolicy;
  readonly offers: ParameterOffers;
}

export type ResolvedIdentity =
  | { readonly ok: true; readonly identity: LoginIdentity }
  | {
      readonly ok: false;
      readonly status: LoginStatus;
      readonly reason: string;
      readonly pairs?: readonly TextPair[];
    };

function refuse(status: LoginStatus, reason: string): ResolvedIdentity {
  return { ok: false, status, reason };
}

function valueOf(pairs: readonly TextPair[], key: string): string | null {
  return pairs.find((pair) => pair.key === key)?.value ?? null;
}

/** `host:port`, with an IPv6 address in brackets (RFC 7143 13.8). */
export function formatTargetAddress(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/**
 * Reads the identity keys that the first text must have (RFC 7143 6.3.1) and asks whether the initiator may come in at
 * all, before it can cost anything more.
 */
export function resolveIdentity(
  context: LoginContext,
  pairs: readonly TextPair[],
): ResolvedIdentity {
  const nameText = valueOf(pairs, "InitiatorName");
  if (nameText === null) return refuse(LoginStatus.missingParameter, "InitiatorName is missing");
  const name = parsePeerName(nameText);
  if (!name.ok) return refuse(LoginStatus.initiatorError, `InitiatorName: ${name.message}`);
  const initiator = { initiatorName: name.name, initiatorAlias: valueOf(pairs, "InitiatorAlias") };
  const typeText = valueOf(pairs, "SessionType") ?? "Normal";
  if (typeText === "Normal") return resolveTarget(context, pairs, initiator);
  if (typeText !== "Discovery") {
    return refuse(LoginStatus.sessionTypeNotSupported, "SessionType is neither of the two");
  }
  const { discovery } = context;
  if (!discovery.enabled) {
    return refuse(LoginStatus.sessionTypeNotSupported, "discovery is switched off");
  }
  if (!discovery.access.allows(context.remoteAddress, name.name)) {
    return refuse(LoginStatus.authorizationFailure, "the access list of discovery forbids it");
  }
  return {
    ok: true,
    identity: {
      ...initiator,
      sessionType: "discovery",
      target: null,
      authentication: discovery.authentication,
      offers: discovery.offers,
    },
  };
}

function resolveTarget(
  context: LoginContext,
  pairs: readonly TextPair[],
  initiator: Pick<LoginIdentity, "initiatorName" | "initiatorAlias">,
): ResolvedIdentity {
  const nameText = valueOf(pairs, "TargetName");
  if (nameText === null) return refuse(LoginStatus.missingParameter, "TargetName is missing");
  const name = parsePeerName(nameText);
  const target = name.ok ? context.findTarget(name.name) : null;
  if (target === null || !target.isInPortalGroup(context.portalGroupTag)) {
    return refuse(LoginStatus.notFound, "there is no such target on this portal");
  }
  if (!target.access.allows(context.remoteAddress, initiator.initiatorName)) {
    return refuse(LoginStatus.authorizationFailure, `the access list of ${target.name} forbids it`);
  }
  if (context.admits?.(target.name, initiator.initiatorName) === false) {
    return refuse(
      LoginStatus.authorizationFailure,
      `the name server does not let it see ${target.name}`,
    );
  }
  // Before the state: a target that moved away is commonly offline here.
  if (target.redirect !== null) return redirected(target.redirect);
  if (target.state === "offline") {
    return refuse(LoginStatus.serviceUnavailable, `${target.name} is offline`);
  }
  return {
    ok: true,
    identity: {
      ...initiator,
      sessionType: "normal",
      target,
      authentication: target.authentication,
      offers: target.offers,
    },
  };
}

function redirected({ address, port, permanent }: Redirect): ResolvedIdentity {
  const value = formatTargetAddress(address, port);
  return {
    ok: false,
    status: permanent ? LoginStatus.targetMovedPermanently : LoginStatus.targetMovedTemporarily,
    reason: `redirected to ${value}`,
    pairs: [{ key: "TargetAddress", value }],
  };
}
