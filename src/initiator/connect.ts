import { randomBytes } from "node:crypto";
import { parseAddress } from "./address.ts";
import type { ChapCredentials } from "./chap.ts";
import { Connection, type ConnectionObserver } from "./connection.ts";
import { InitiatorError } from "./initiator-error.ts";
import { ANSWER_TIMEOUT_MS, CONNECT_TIMEOUT_MS, REDIRECTS_MAX } from "./limits.ts";
import { login } from "./login.ts";
import { DEFAULT_OFFERS, type DigestOffer, type Offers } from "./parameters.ts";
import { InitiatorSession, type SessionEvents } from "./session.ts";

/** Everything about one login. What is left out has a generous default. */
export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  readonly initiatorName: string;
  readonly initiatorAlias?: string;
  /** Required for a normal session. */
  readonly targetName?: string;
  readonly sessionType?: "normal" | "discovery";
  readonly chap?: ChapCredentials;
  readonly digests?: { readonly header: DigestOffer; readonly data: DigestOffer };
  readonly offers?: Partial<Offers>;
  /** 12 hexadecimal digits; random where left out, so that sessions stand beside each other. */
  readonly isid?: string;
  readonly tsih?: number;
  readonly cid?: number;
  /** Follows the target to another address; true where left out. */
  readonly followRedirects?: boolean;
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly events?: SessionEvents;
  readonly observer?: ConnectionObserver;
}

/** An ISID of the random format, RFC 7143 11.12.5. */
export function randomIsid(): string {
  return `80${randomBytes(5).toString("hex")}`;
}

function offersOf(options: ConnectOptions): Offers {
  const { header = "none", data = "none" } = options.digests ?? {};
  return { ...DEFAULT_OFFERS, headerDigest: header, dataDigest: data, ...options.offers };
}

async function connectOnce(
  options: ConnectOptions,
  address: string,
  port: number,
): Promise<InitiatorSession> {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
  const connection = await Connection.open(address, port, options.observer, connectTimeoutMs);
  const { isid = randomIsid(), tsih = 0, cid = 0 } = options;
  const intent = {
    ...options,
    sessionType: options.sessionType ?? "normal",
    offers: offersOf(options),
  };
  try {
    const result = await login(connection, intent, { isid, tsih, cid }, answerTimeoutMs);
    return new InitiatorSession(connection, result, { isid, cid }, options.events);
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** Logs in. Rejects with `InitiatorError`: `connect`, `login`, `redirect`, `protocol`, `timeout` or `closed`. */
export async function connect(options: ConnectOptions): Promise<InitiatorSession> {
  let { address, port } = options;
  for (let redirects = 0; ; redirects += 1) {
    try {
      return await connectOnce(options, address, port);
    } catch (error) {
      const target = error instanceof InitiatorError ? error.context.targetAddress : undefined;
      const follow = options.followRedirects ?? true;
      if (target === undefined || target === "" || !follow || redirects === REDIRECTS_MAX)
        throw error;
      ({ address, port } = parseAddress(target));
    }
  }
}
