import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../util/clock.ts";
import { ROLES, type Role } from "../protocol.ts";
import { FailureLimit } from "./failure-limit.ts";
import { RefusedRequest } from "./problem.ts";

/** Who asks, and what they may do. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

/** What is told of a caller before anything is read of the request. */
export interface Credentials {
  /** The header, as it came. */
  readonly authorization: string | undefined;
  readonly address: string;
}

/** Tells who asks. Throws RefusedRequest where it is nobody who may. */
export type Authenticate = (credentials: Credentials) => Caller;

/** A token of which only the hash is known here. */
export interface Token extends Caller {
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

/** Whoever reaches the socket is the daemon's own user. */
export const SOCKET_CALLER: Caller = { name: "socket", role: "admin" };

const BEARER = /^Bearer +([\x21-\x7e]{1,1024})$/i;

const MS_PER_SECOND = 1000;

/** Errors: RefusedRequest 403. */
export function mustHaveRole({ name, role }: Caller, needed: Role): void {
  if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) return;
  throw new RefusedRequest(
    403,
    "denied",
    `the token "${name}" has the role ${role}, and this takes ${needed}`,
  );
}

/**
 * Callers by bearer token (RFC 6750). How long it takes says nothing about a token. Those that are known pass whatever else comes from
 * their address: they cannot be guessed, and whoever sends wrong ones is to keep nobody out.
 */
export function tokenAuthentication(tokens: readonly Token[], clock: Clock): Authenticate {
  const limit = new FailureLimit(clock);
  const known = tokens.map((token) => ({ token, hash: Buffer.from(token.sha256, "hex") }));
  return ({ authorization, address }) => {
    const given = BEARER.exec(authorization ?? "")?.[1];
    const hash = createHash("sha256")
      .update(given ?? "")
      .digest();
    let found: Token | null = null;
    for (const { token, hash: expected } of known) {
      if (timingSafeEqual(hash, expected)) found = token;
    }
    if (given !== undefined && found !== null) return found;
    const waitMs = limit.waitMs(address);
    if (waitMs > 0) throw mustWait(address, waitMs);
    if (authorization !== undefined) limit.failed(address);
    throw new RefusedRequest(
      401,
      "denied",
      authorization === undefined
        ? "this takes a token: Authorization: Bearer TOKEN"
        : "this token is not known here",
      {
        "www-authenticate": authorization === undefined ? "Bearer" : 'Bearer error="invalid_token"',
      },
    );
  };
}

function mustWait(address: string, waitMs: number): RefusedRequest {
  const seconds = String(Math.ceil(waitMs / MS_PER_SECOND));
  const message = `too many wrong tokens came from ${address}: try again in ${seconds} s`;
  return new RefusedRequest(429, "denied", message, { "retry-after": seconds });
}
