import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { RandomBytes } from "../util/random.ts";
import type { Connection } from "./connection.ts";
import type { DiscoveryPolicy, LoginResult } from "./login/login-types.ts";
import type { ServerTotals } from "./server-totals.ts";
import type { PingSettings } from "./ping-watch.ts";
import type { Session } from "./session.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { IscsiTarget } from "./target.ts";
import type { TextPair } from "./text/text-pairs.ts";
import type { TransportPools } from "./transport-pools.ts";
import type { Turn } from "./turn.ts";

/** What a connection sees of its server. */
export interface ServerContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly turn: Turn;
  readonly pools: TransportPools;
  readonly sessions: SessionRegistry;
  readonly totals: ServerTotals;
  /** For discovery, and where a target says nothing else. */
  readonly pings: PingSettings;
  /** For the logins to come. */
  discovery: DiscoveryPolicy;
  /** All connections receive into this, one at a time. */
  readonly receiveBuffer: Buffer;

  /** Whether a name server lets an initiator log in to a target. */
  admits: (target: string, initiator: string) => boolean;
  findTarget(name: string): IscsiTarget | null;
  listTargets(
    connection: Connection,
    login: LoginResult,
    value: string,
  ): readonly TextPair[] | null;
  /** The login is over: `ready` is called when the session may begin. */
  openSession(
    connection: Connection,
    login: LoginResult,
    firstCmdSn: number,
    ready: (session: Session) => void,
  ): void;
  connectionDraining(connection: Connection): void;
  connectionClosed(connection: Connection): void;
  /** Ends every session of the target (TARGET COLD RESET, RFC 7143 11.5.1). */
  coldReset(target: IscsiTarget): void;
}
