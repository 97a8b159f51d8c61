import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { IscsiServer } from "../iscsi/server.ts";
import { systemOwner } from "../thin/members/owner.ts";
import { systemClock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { programVersion } from "../util/program-version.ts";
import { ControlServer } from "./control-server.ts";
import { missingOf, readiness } from "./health.ts";
import { HTTP_FAILURE } from "./http/tcp-listener.ts";
import { addMetricsRoute } from "./metrics/metrics-route.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { OperatedDaemon } from "./operations/operated-daemon.ts";
import type { OperationContext } from "./operations/operation.ts";
import type { PoolStore } from "./pool-store.ts";
import type { VolumeStore } from "./volume-store.ts";

/** What of a daemon its operations are for. */
export interface ServedDaemon extends Omit<OperatedDaemon, "server" | "volumes" | "version"> {
  readonly log: Log;
  readonly server: IscsiServer;
  readonly volumes: VolumeStore;
  readonly pools: PoolStore;
  /** False while it starts and while it stops. */
  readonly isRunning: () => boolean;
}

/** The operations of a daemon, its metrics and its health, for whoever may ask. Nobody is listened to yet. */
export function operationService(daemon: ServedDaemon): ControlServer {
  const { server, volumes, pools, portals, stateDir, isRunning } = daemon;
  const version = programVersion();
  const log = daemon.log.child({ part: "control" });
  const context: OperationContext = {
    pools: pools.operated,
    isServed: volumes.serves,
    owner: systemOwner,
    clock: systemClock,
    makeUuid: randomUUID,
    backupDir: join(stateDir, "backup"),
    now: () => new Date(),
    log,
    daemon: { ...daemon, version },
  };
  const metrics = new Metrics({ server, pools: pools.operated, version }, true);
  const control: ControlServer = new ControlServer({
    context,
    log,
    addRoutes: (app) => addMetricsRoute(app, metrics),
    unready: () =>
      readiness({
        isRunning: isRunning(),
        portals: portals.portals.length,
        pools: pools.operated(),
        missing: [
          ...missingOf(daemon.plane.view.all, {
            hasPool: (name) => pools.find(name) !== undefined,
            hasVolume: (name) => volumes.volumes.has(name),
            portals: portals.portals.map(({ config }) => config),
          }),
          ...(control.tcpFailure === null ? [] : [HTTP_FAILURE]),
        ],
      }),
  });
  return control;
}
