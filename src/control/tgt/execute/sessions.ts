import { sessionOfId, targetOfId } from "./find.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
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
  const thing = { target: name, initiator: session.initiatorName };
  daemon.plane.audit.changed({
    by: TGTADM.name,
    operation: "tgt connection delete",
    changes: [{ action: "delete", kind: "session", name: String(session.tsih), thing }],
  });
  connection.drop("an administrator ended it");
}
