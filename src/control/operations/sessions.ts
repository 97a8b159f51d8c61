import { parsePeerName } from "../../iscsi/login/iscsi-name.ts";
import type { Connection } from "../../iscsi/connection.ts";
import type { Session } from "../../iscsi/session.ts";
import type { AuditedChange } from "../audit.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import { OperationError, type SessionArguments, type SessionReport } from "../protocol.ts";
import { audited } from "./audited.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationContext, OperationRequest } from "./operation.ts";

interface Found {
  readonly session: Session;
  readonly connection: Connection;
}

/** Errors: invalid. */
export async function listSessions({
  context,
  body,
}: OperationRequest<"session/list">): Promise<readonly SessionReport[]> {
  return Promise.resolve(find(context, body).map((found) => describe(context, found)));
}

/** Asks the initiators to log out, and ends the sessions that are there then; initiators may come back. Errors: invalid, missing. */
export async function logoutSessions(
  request: OperationRequest<"session/logout">,
): Promise<readonly SessionReport[]> {
  const { context, body } = request;
  const { server, logoutGraceMs } = daemonOf(context);
  if (Object.keys(body).length === 0) {
    throw new OperationError("invalid", "say which sessions: by number, target or initiator");
  }
  const found = find(context, body);
  if (found.length === 0) {
    const which = Object.entries(body).map(([name, value]) => `${name} ${value}`);
    throw new OperationError("missing", `there is no such session: ${which.join(", ")}`);
  }
  const reports = found.map((one) => describe(context, one));
  const meant = new Set(found.map(({ session }) => session));
  const changes = reports.map(({ tsih, target, initiator, address }): AuditedChange => {
    return {
      action: "delete",
      kind: "session",
      name: String(tsih),
      thing: { target, initiator, address },
    };
  });
  audited(request, "session/logout", changes);
  await server.endSessions(
    (session) => meant.has(session),
    "an administrator ended it",
    logoutGraceMs,
  );
  return reports;
}

function find(context: OperationContext, body: SessionArguments): readonly Found[] {
  const { server } = daemonOf(context);
  const { tsih } = body;
  const [target, initiator] = [nameOf(body.target), nameOf(body.initiator)];
  return [...server.connections].flatMap((connection): Found[] => {
    const { session } = connection;
    if (session === null || session.connection !== connection) return [];
    const fits =
      (tsih === undefined || session.tsih === tsih) &&
      (target === undefined || session.target.name === target) &&
      (initiator === undefined || nameOf(session.initiatorName) === initiator);
    return fits ? [{ session, connection }] : [];
  });
}

/** The form in which names are compared. */
function nameOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parsePeerName(text);
  if (parsed.ok) return parsed.name;
  throw new OperationError("invalid", parsed.message);
}

function describe(context: OperationContext, { session, connection }: Found): SessionReport {
  const { parameters } = session;
  const ageMs = context.clock.nowMs() - connection.acceptedMs;
  return {
    tsih: session.tsih,
    target: session.target.name,
    initiator: session.initiatorName,
    initiatorAlias: session.initiatorAlias,
    isid: session.isid,
    account: session.account,
    address: formatEndpoint({ address: connection.remoteAddress, port: connection.remotePort }),
    portal: formatEndpoint({ address: connection.localAddress, port: connection.portal.port }),
    since: new Date(context.now().getTime() - ageMs).toISOString(),
    parameters: {
      headerDigest: parameters.headerDigest,
      dataDigest: parameters.dataDigest,
      initiatorMaxRecvDataSegmentLength: parameters.initiatorMaxRecvDataSegmentLengthBytes,
      maxBurstLength: parameters.maxBurstLengthBytes,
      firstBurstLength: parameters.firstBurstLengthBytes,
      maxOutstandingR2T: parameters.maxOutstandingR2t,
      initialR2T: parameters.initialR2t,
      immediateData: parameters.immediateData,
    },
  };
}
