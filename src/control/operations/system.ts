import { formatEndpoint } from "../config/endpoint.ts";
import type { StatusReport } from "../protocol.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";

const MS_PER_SECOND = 1000;

/** How the daemon is, at a glance. */
export async function showStatus({
  context,
}: OperationRequest<"system/status">): Promise<StatusReport> {
  const { plane, server, volumes, portals, ...daemon } = daemonOf(context);
  const { targets } = plane.view.all;
  const pools = context.pools().map(({ pool }) => pool);
  const luns = targets.flatMap(({ name, luns: all }) => all.map((lun) => ({ name, ...lun })));
  const uptimeMs = context.now().getTime() - daemon.startedAt.getTime();
  return Promise.resolve({
    version: daemon.version,
    pid: process.pid,
    startedAt: daemon.startedAt.toISOString(),
    // A clock that was set back is no reason to have started in the future.
    uptimeSeconds: Math.max(0, Math.floor(uptimeMs / MS_PER_SECOND)),
    stateDir: daemon.stateDir,
    portals: portals.portals.map(({ endpoint }) => formatEndpoint(endpoint)),
    targetCount: targets.length,
    lunCount: luns.length,
    sessionCount: [...server.sessions].length,
    poolCount: pools.length,
    volumeCount: pools.reduce((count, pool) => count + pool.volumes().length, 0),
    missingLuns: luns
      .filter(({ volume }) => !volumes.volumes.has(volume))
      .map(({ name, lun }) => `${name} LUN ${lun}`),
    failedPools: pools.flatMap(({ name, failure }) =>
      failure === null ? [] : [{ pool: name, failure: failure.message }],
    ),
  });
}
