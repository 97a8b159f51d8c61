import { collide } from "../config/checks.ts";
import type { PortalConfig } from "../config/config.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import { OperationError, type PortalReport, type ReplyOf } from "../protocol.ts";
import { actorOf, daemonOf, type OperatedDaemon } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { wantedOf } from "./wanted.ts";

export async function listPortals({
  context,
}: OperationRequest<"portal/list">): Promise<readonly PortalReport[]> {
  const daemon = daemonOf(context);
  return Promise.resolve(
    daemon.plane.view.all.portals.map((portal) => describePortal(daemon, portal)),
  );
}

/** Errors: invalid, exists, failed: it cannot listen there; io. */
export async function createPortal(
  request: OperationRequest<"portal/create">,
): Promise<PortalReport> {
  const daemon = daemonOf(request.context);
  const { listen, group, advertise } = request.body;
  const portal = wantedPortal({
    listen,
    ...(group === undefined ? {} : { group }),
    ...(advertise === undefined ? {} : { advertise }),
  });
  const key = formatEndpoint(portal.listen);
  await daemon.plane.change(actorOf(request), "portal/create", ({ all, inventory }) => {
    if (all.portals.some((one) => formatEndpoint(one.listen) === key)) {
      throw new OperationError("exists", `there is a portal ${key} already`);
    }
    const other = all.portals.find((one) => collide(one, portal));
    if (other !== undefined) {
      const where = `portal ${formatEndpoint(other.listen)} listens already`;
      throw new OperationError("exists", `portal ${key} would listen where ${where}`);
    }
    return { ...inventory, portals: [...inventory.portals, portal] };
  });
  return describePortal(daemon, portal);
}

/** Sessions that came through it stay. Errors: invalid, missing, foreign, io. */
export async function deletePortal(
  request: OperationRequest<"portal/delete">,
): Promise<ReplyOf<"portal/delete">> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  const key = formatEndpoint(wantedPortal({ listen: body.listen }).listen);
  await plane.change(actorOf(request), "portal/delete", ({ inventory, config }) => {
    const isMeant = ({ listen }: PortalConfig): boolean => formatEndpoint(listen) === key;
    if (inventory.portals.some(isMeant)) {
      return { ...inventory, portals: inventory.portals.filter((one) => !isMeant(one)) };
    }
    if (config.portals.some(isMeant)) {
      throw new OperationError(
        "foreign",
        `portal ${key} is in the configuration, or of the command line: change it there, and start the daemon anew`,
      );
    }
    throw new OperationError("missing", `there is no portal ${key}`);
  });
  return {};
}

function wantedPortal(document: {
  readonly listen: string;
  readonly group?: number;
  readonly advertise?: string;
}): PortalConfig {
  const [portal] = wantedOf({ portals: [document] }).portals;
  if (portal === undefined) throw new OperationError("invalid", "there is no portal in it");
  return portal;
}

function describePortal(
  { plane, portals }: OperatedDaemon,
  { listen, group, advertise }: PortalConfig,
): PortalReport {
  const key = formatEndpoint(listen);
  const open = portals.portals.find(({ config }) => formatEndpoint(config.listen) === key);
  const { inventory } = plane.view;
  const isMade = inventory.portals.some((one) => formatEndpoint(one.listen) === key);
  return {
    listen: key,
    address: open === undefined ? null : formatEndpoint(open.endpoint),
    group,
    advertise: advertise === null ? null : formatEndpoint(advertise),
    origin: isMade ? "command" : "configuration",
  };
}
