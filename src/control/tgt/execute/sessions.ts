import { sessionOfId, targetOfId } from "./find.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** A connection as a request names it. */
export interface ConnectionId {
  readonly targetId: number;
  readonly sessionId: bigint;
  readonly connectionId: number;
}

/** Ends a connection at once; its session ends with it. Refused: no-target, no-session, no-connection. */
export function deleteConnection(daemon: TgtDaemon, id: ConnectionId): void {
  const { name } = targetOfId(daemon.plane.view, id.targetId);
  const { session, connection } = sessionOfId(daemon.server, name, id.sessionId);
  if (session.connection?.cid !== id.connectionId) throw new TgtRefused("no-connection");
  daemon.log.info({ target: name, initiator: session.initiatorName }, "tgtadm ends a connection");
  connection.drop("an administrator ended it");
}
