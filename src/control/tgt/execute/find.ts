import type { IscsiServer } from "../../../iscsi/server.ts";
import type { Connection } from "../../../iscsi/connection.ts";
import type { Session } from "../../../iscsi/session.ts";
import type { LunConfig, TargetConfig } from "../../config/config.ts";
import type { PlaneView } from "../../plane/control-plane.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** The target of a number. Refused: no-target. */
export function targetOfId({ all }: PlaneView, targetId: number): TargetConfig {
  const target = all.targets.find(({ tid }) => tid === targetId);
  if (target === undefined) throw new TgtRefused("no-target");
  return target;
}

/** A number of 64 bits as one that LUNs here have, or -1 for one that none has. */
export function lunNumber(lun: bigint): number {
  return lun <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(lun) : -1;
}

/** Whether a target answers under a LUN: LUN 0 of tgt's targets is a controller. */
export function hasLun({ luns, tgt }: TargetConfig, lun: bigint): boolean {
  if (tgt !== null && lun === 0n) return true;
  return luns.some((one) => one.lun === lunNumber(lun));
}

/** Refused: no-lun. */
export function lunOf({ luns }: TargetConfig, lun: bigint): LunConfig {
  const found = luns.find((one) => one.lun === lunNumber(lun));
  if (found === undefined) throw new TgtRefused("no-lun");
  return found;
}

/** A session with the connection that it has. */
export interface LiveSession {
  readonly session: Session;
  readonly connection: Connection;
}

type Connections = Pick<IscsiServer, "connections">;

/** The sessions of a target, the oldest first. */
export function sessionsOf({ connections }: Connections, targetName: string): LiveSession[] {
  return [...connections]
    .flatMap((connection): LiveSession[] => {
      const { session } = connection;
      if (session === null || session.connection !== connection) return [];
      return session.target.name === targetName ? [{ session, connection }] : [];
    })
    .toSorted((left, right) => left.session.sid - right.session.sid);
}

/** Refused: no-session. */
export function sessionOfId(server: Connections, target: string, sid: bigint): LiveSession {
  const found = sessionsOf(server, target).find(({ session }) => BigInt(session.sid) === sid);
  if (found === undefined) throw new TgtRefused("no-session");
  return found;
}
