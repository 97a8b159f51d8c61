import { randomUUID } from "node:crypto";
import { describeFinding } from "./control/config/report.ts";
import type { ControlServer } from "./control/control-server.ts";
import { DEMO_PATH, tellOfEarlierDemo } from "./control/demo-config.ts";
import { discoveryPolicy, serveDiscovery } from "./control/discovery.ts";
import { Exports } from "./control/exports.ts";
import { HTTP_FAILURE } from "./control/http/tcp-listener.ts";
import { eachInOrder } from "./control/in-order.ts";
import { operationService } from "./control/operation-service.ts";
import { ControlPlane } from "./control/plane/control-plane.ts";
import { fittingTargets } from "./control/plane/fitting-targets.ts";
import { withOptionalThings } from "./control/plane/optional-things.ts";
import type { PlaneParts } from "./control/plane/transaction.ts";
import type { PoolStore } from "./control/pool-store.ts";
import { PortalStore } from "./control/portal-store.ts";
import { controlSocketPath } from "./control/protocol.ts";
import { announceReadiness, type ReadinessTargets } from "./control/readiness.ts";
import { Reloader } from "./control/reloader.ts";
import { describeTargets, type Running, statusText } from "./control/running.ts";
import { type ServiceManager, systemServiceManager } from "./control/service-manager.ts";
import {
  isDemo,
  type StartupConfig,
  startupConfig,
  type StartupOptions,
} from "./control/startup-config.ts";
import { StateStore } from "./control/state-store.ts";
import { endOnDefects, listenForStop } from "./control/stop-signal.ts";
import { type DebugSwitch, debugLevel, debugSwitch } from "./control/tgt/server/debug-switch.ts";
import { systemPools } from "./control/system-pools.ts";
import { startTgt, type TgtFace } from "./control/tgt/server/start-tgt.ts";
import { VolumeStore } from "./control/volume-store.ts";
import { endsWithin } from "./control/within.ts";
import { IscsiServer } from "./iscsi/server.ts";
import { systemClock } from "./util/clock.ts";
import { type Log, type LogLevel, openLog } from "./util/log.ts";
import { systemRandomBytes } from "./util/random.ts";

export type { Running, RunningLun } from "./control/running.ts";

/** What the command line says. */
export interface DaemonOptions extends StartupOptions {
  /** Null: as configured. */
  readonly logLevel: LogLevel | null;
  /** As tgt's daemon has it: more is logged, until tgtadm says otherwise. */
  readonly debug?: boolean;
  readonly ready: ReadinessTargets;
  /** Whether somebody watches the standard output. */
  readonly terminal: boolean;
}

/** How long initiators that are asked to log out may take. */
const LOGOUT_GRACE_MS = 3_000;

/**
 * How long sessions may take to end in all. A command on a disk that is stuck never ends, and what the other disks hold
 * has to be flushed nevertheless.
 */
const SESSIONS_MS_MAX: number = LOGOUT_GRACE_MS + 3_000;

/** How the daemon ended. */
export type Ending = "stopped" | "data-at-risk";

/**
 * Puts the daemon together and runs it until it is told to stop; resolves when everything is flushed and closed.
 * `onReady` is called once logins are accepted.
 *
 * @throws {ConfigError} the configuration has errors
 * @throws {StartError} something that it needs is not there
 */
export async function runDaemon(
  options: DaemonOptions,
  onReady: (running: Running) => void,
): Promise<Ending> {
  const { config, warnings } = startupConfig(options);
  const usual = options.logLevel ?? config.log.level;
  const isDebug = options.debug ?? false;
  const output = openLog({
    level: debugLevel(usual, isDebug),
    pretty: config.log.pretty === "on" || (config.log.pretty === "auto" && options.terminal),
  });
  const { log } = output;
  for (const finding of warnings) log.warn({}, describeFinding(options.configFile ?? "", finding));
  const releaseFatal = endOnDefects(output);
  const stop = listenForStop(output);
  const service = systemServiceManager(log);
  const debug = debugSwitch(usual, isDebug, output.setLevel);
  const surroundings = { log, service, debug, stop: () => stop.ask("tgtadm") };
  const daemon = new Daemon(options, config, surroundings);
  process.on("SIGHUP", daemon.reloader.onHangUp);
  try {
    const running = await daemon.start();
    // What was logged so far comes before what the command has to say.
    output.flush();
    onReady(running);
    await stop.asked;
    service.stopping();
    const ending = await daemon.stop(LOGOUT_GRACE_MS);
    log.info({ ending }, "stopped");
    return ending;
  } catch (error) {
    // The first error is the one to tell; what else goes wrong now follows from it.
    await daemon.stop(0).catch((next: unknown) => log.error({ error: next }, "stopping failed"));
    throw error;
  } finally {
    process.off("SIGHUP", daemon.reloader.onHangUp);
    await service.close();
    stop.release();
    releaseFatal();
    output.flush();
  }
}

/** What the daemon runs in. */
interface Surroundings {
  readonly log: Log;
  readonly service: ServiceManager;
  readonly debug: DebugSwitch;
  /** Has the daemon end in order. */
  readonly stop: () => void;
}

/** What stands between what is stored and who may reach it. */
interface Parts extends PlaneParts {
  readonly state: StateStore;
  readonly plane: ControlPlane;
  readonly pools: PoolStore;
}

/** The parts in the order in which they start; they stop in the opposite order, as far as they came. */
class Daemon {
  readonly reloader: Reloader = new Reloader();
  readonly #options: DaemonOptions;
  readonly #config: StartupConfig;
  readonly #surroundings: Surroundings;
  readonly #startedAt = new Date();
  readonly #log: Log;
  readonly #server: IscsiServer;
  #state: StateStore | null = null;
  #pools: PoolStore | null = null;
  #volumes: VolumeStore | null = null;
  #exports: Exports | null = null;
  #plane: ControlPlane | null = null;
  #control: ControlServer | null = null;
  #tgt: TgtFace | null = null;
  #isRunning = false;

  constructor(options: DaemonOptions, config: StartupConfig, surroundings: Surroundings) {
    const { log } = surroundings;
    this.#options = options;
    this.#config = config;
    this.#surroundings = surroundings;
    this.#log = log;
    this.#server = new IscsiServer({
      log,
      clock: systemClock,
      randomBytes: systemRandomBytes,
      poll: config.poll,
      discovery: discoveryPolicy(config.discovery),
      limits: { connectionsMax: config.limits.connections, pings: config.limits.pings },
    });
  }

  /** State, pools, volumes, logical units and targets, portals: nobody can log in to what is not there yet. */
  async start(): Promise<Running> {
    const parts = await this.#startParts();
    const { plane, portals, volumes } = parts;
    const { service } = this.#surroundings;
    const control = await this.#listenForOperations(parts);
    await this.#standForTgt(parts);
    this.#isRunning = true;
    this.reloader.start({
      ...parts,
      configFile: this.#options.configFile,
      load: () => startupConfig(this.#options).config,
      service,
      configureHttp: (http) => control.configureTcp(http),
    });
    const endpoints = portals.portals.map(({ endpoint }) => endpoint);
    announceReadiness(this.#options.ready, endpoints);
    const status = (): string => statusText(plane.view.all.targets, portals.portals);
    service.ready(status());
    plane.subscribe(() => service.status(status()));
    return {
      portals: endpoints,
      stateDir: this.#config.stateDir,
      targets: describeTargets(plane.view.all, volumes.volumes),
      demo: isDemo(this.#options) ? DEMO_PATH : null,
    };
  }

  /** What there is to change, from the disks up to the portals. */
  async #startParts(): Promise<Parts> {
    const config = this.#config;
    const { stateDir } = config;
    const log = this.#log;
    const server = this.#server;
    const state = await StateStore.open(stateDir, { makeUuid: randomUUID });
    this.#state = state;
    if (isDemo(this.#options)) tellOfEarlierDemo(stateDir, log);
    const plane = new ControlPlane({ log: log.child({ part: "audit" }), keeper: state, config });
    this.#plane = plane;
    serveDiscovery(server, plane);
    const all = withOptionalThings(plane.view);
    const pools = systemPools(log, { identities: state.pools, stateDir });
    this.#pools = pools;
    await eachInOrder(systemClock, all.pools, ([name, pool]) => pools.open(name, pool));
    await plane.takeBack({ log, volumeIdentities: state.volumes, pools });
    const volumes = new VolumeStore(log, state.volumes, pools.find);
    this.#volumes = volumes;
    await eachInOrder(systemClock, all.volumes, ([name, volume]) => volumes.open(name, volume));
    const exports = new Exports({
      log,
      clock: systemClock,
      server,
      volumes: volumes.volumes,
      logoutGraceMs: LOGOUT_GRACE_MS,
    });
    this.#exports = exports;
    for (const target of fittingTargets(plane.view, log)) exports.add(target);
    const portals = new PortalStore(log, server);
    for (const portal of config.portals) await portals.open(portal);
    for (const portal of state.inventory.portals) await portals.tryOpen(portal);
    const parts = {
      log,
      clock: systemClock,
      volumeIdentities: state.volumes,
      poolIdentities: state.pools,
      pools,
      volumes,
      portals,
      exports,
      hasSessions: (name: string) =>
        [...server.sessions].some(({ target }) => target.name === name),
    };
    plane.start(parts);
    return { ...parts, state, plane };
  }

  async #listenForOperations(parts: Parts): Promise<ControlServer> {
    const { stateDir, http } = this.#config;
    const control = operationService({
      ...parts,
      server: this.#server,
      stateDir,
      startedAt: this.#startedAt,
      logoutGraceMs: LOGOUT_GRACE_MS,
      isRunning: () => this.#isRunning,
    });
    this.#control = control;
    await control.listen(controlSocketPath(stateDir));
    // It is tried again, and disks are served meanwhile.
    const failed = (error: unknown): void => this.#log.error({ error }, HTTP_FAILURE);
    await control.configureTcp(http).catch(failed);
    return control;
  }

  async #standForTgt({ plane, volumes, portals }: Parts): Promise<void> {
    const { tgtSocket, nopOptions = new Map() } = this.#options;
    if (tgtSocket === undefined) return;
    const { log, stop, debug } = this.#surroundings;
    const server = this.#server;
    const controlSocket = controlSocketPath(this.#config.stateDir);
    const parts = { log, plane, server, volumes, portals, stop, controlSocket };
    this.#tgt = await startTgt({ ...parts, debug, nopOptions }, tgtSocket);
  }

  /**
   * No new logins, initiators log out, commands end, volumes are flushed, state is let go. Sessions that hang or fail do
   * not keep a volume from being flushed.
   */
  async stop(graceMs: number): Promise<Ending> {
    this.#isRunning = false;
    const reading = this.reloader.stop();
    const operations = Promise.all([this.#control?.close(), this.#tgt?.close()]);
    // A change that waits is refused from here on; one that runs ends, or is taken back.
    const changes = this.#plane?.close();
    const all = Promise.all([this.#endSessions(graceMs), reading, operations, changes]);
    let flushed = true;
    try {
      await endsWithin(systemClock, SESSIONS_MS_MAX, all);
    } finally {
      flushed = (await this.#volumes?.closeAll()) ?? true;
      flushed = ((await this.#pools?.closeAll()) ?? true) && flushed;
      await this.#state?.close();
    }
    await all;
    return flushed ? "stopped" : "data-at-risk";
  }

  async #endSessions(graceMs: number): Promise<void> {
    await this.#server.shutdown(graceMs);
    this.#exports?.close();
  }
}
