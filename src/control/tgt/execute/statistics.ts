import { OperationClass } from "../../../scsi/operation-class.ts";
import type { UnitStatistics } from "../../../scsi/unit-statistics.ts";
import { hasLun, type LiveSession, sessionOfId, sessionsOf, targetOfId } from "./find.ts";
import type { ConnectionId } from "./sessions.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

const UNIT_HEADER =
  "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) wr_subm(bytes,cmds) wr_done(bytes,cmds) errs\n";
const CONNECTION_HEADER =
  "sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus\n";

/** Widths of the columns; those of a connection are as wide as what stands above them. */
const NUMBER_WIDTH = 3;
const BYTES_WIDTH = 12;
const COMMANDS_WIDTH = 6;
const ERRORS_WIDTH = 4;

function padded(value: number, width: number): string {
  return String(value).padStart(width);
}

/** tgt counts every command with data as a read or a write, by the way that they go. */
const READS = [OperationClass.read, OperationClass.otherIn] as const;
const WRITES = [OperationClass.write, OperationClass.unmap, OperationClass.otherOut] as const;

function flow(statistics: UnitStatistics, classes: readonly OperationClass[]): string {
  const counts = classes.map((one) => statistics.counts(one));
  const sum = (of: (one: (typeof counts)[number]) => number): number =>
    counts.reduce((total, one) => total + of(one), 0);
  return [
    padded(
      sum((one) => one.submittedBytes),
      BYTES_WIDTH,
    ),
    padded(
      sum((one) => one.submitted),
      COMMANDS_WIDTH,
    ),
    padded(
      sum((one) => one.answeredBytes),
      BYTES_WIDTH,
    ),
    padded(
      sum((one) => one.answered),
      COMMANDS_WIDTH,
    ),
  ].join(" ");
}

function errorsOf(statistics: UnitStatistics): number {
  const errors = Object.values(OperationClass).map((one) => statistics.counts(one).errors);
  return errors.reduce((total, count) => total + count, 0);
}

function unitRow(tid: number, lun: number, sid: number, statistics: UnitStatistics): string {
  const numbers = [tid, lun, sid].map((value) => padded(value, NUMBER_WIDTH));
  const flows = [flow(statistics, READS), flow(statistics, WRITES)];
  return `${[...numbers, ...flows, padded(errorsOf(statistics), ERRORS_WIDTH)].join(" ")}\n`;
}

/** The rows of a session for the units that are asked for. */
function sessionRows(tid: number, luns: readonly number[], { session }: LiveSession): string {
  return luns
    .map((lun) => unitRow(tid, lun, session.sid, session.nexus.statistics.of(lun)))
    .join("");
}

function targetRows({ plane, server }: TgtDaemon, tid: number): string {
  const { name } = targetOfId(plane.view, tid);
  const sessions = sessionsOf(server, name);
  const luns = new Set(sessions.flatMap((live) => lunsOf(live)));
  return [...luns]
    .toSorted((left, right) => left - right)
    .flatMap((lun) => sessions.map((live) => sessionRows(tid, [lun], live)))
    .join("");
}

function lunsOf({ session }: LiveSession): readonly number[] {
  return [...session.target.device.units.keys()].toSorted((left, right) => left - right);
}

export function systemStatistics(daemon: TgtDaemon): string {
  const { targets } = daemon.plane.view.all;
  return UNIT_HEADER + targets.map(({ tid }) => targetRows(daemon, tid ?? 0)).join("");
}

/** Refused: no-target. */
export function targetStatistics(daemon: TgtDaemon, targetId: number): string {
  return UNIT_HEADER + targetRows(daemon, targetId);
}

/** Refused: no-target, no-lun. */
export function lunStatistics(daemon: TgtDaemon, targetId: number, lun: bigint): string {
  const target = targetOfId(daemon.plane.view, targetId);
  if (!hasLun(target, lun)) throw new TgtRefused("no-lun");
  const rows = sessionsOf(daemon.server, target.name).map((live) =>
    sessionRows(targetId, [Number(lun)], live),
  );
  return UNIT_HEADER + rows.join("");
}

/** The session of a number, or where the target is none, no session. */
function liveSession({ plane, server }: TgtDaemon, targetId: number, sid: bigint): LiveSession {
  const target = plane.view.all.targets.find(({ tid }) => tid === targetId);
  if (target === undefined) throw new TgtRefused("no-session");
  return sessionOfId(server, target.name, sid);
}

function connectionRow({ session, connection }: LiveSession): string {
  const { statistics } = connection;
  const columns = [
    padded(session.sid, NUMBER_WIDTH),
    padded(session.connection?.cid ?? 0, NUMBER_WIDTH),
    padded(statistics.receivedOctets, "rxdata_octets".length),
    padded(statistics.sentOctets, "txdata_octets".length),
    padded(statistics.dataOuts, "dataout_pdus".length),
    padded(statistics.dataIns, "datain_pdus".length),
    padded(statistics.commands, "cmd_pdus".length),
    padded(statistics.responses, "rsp_pdus".length),
  ];
  return `${columns.join(" ")}\n`;
}

/** Refused: no-session. */
export function sessionStatistics(
  daemon: TgtDaemon,
  { targetId, sessionId }: Pick<ConnectionId, "targetId" | "sessionId">,
): string {
  const live = liveSession(daemon, targetId, sessionId);
  // From the highest on, as tgtd lists the units of one session alone.
  const rows = sessionRows(targetId, lunsOf(live).toReversed(), live);
  return `${UNIT_HEADER}${rows}\n${CONNECTION_HEADER}${connectionRow(live)}`;
}

/** Refused: no-session, no-connection. */
export function connectionStatistics(daemon: TgtDaemon, id: ConnectionId): string {
  const live = liveSession(daemon, id.targetId, id.sessionId);
  if (live.session.connection?.cid !== id.connectionId) throw new TgtRefused("no-connection");
  return CONNECTION_HEADER + connectionRow(live);
}
