import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type {
  Config,
  DiscoveryConfig,
  PortalConfig,
  TargetConfig,
  VolumeConfig,
} from "./control/config/config.ts";
import { type Endpoint, formatEndpoint } from "./control/config/endpoint.ts";
import { loadConfig } from "./control/config/load-config.ts";
import { describeFinding, type Finding } from "./control/config/report.ts";
import { fileSettled } from "./control/config/settled-file.ts";
import { authenticationRules } from "./control/config/authentication-rules.ts";
import { ControlServer } from "./control/control-server.ts";
import { DEMO_PATH, demoConfig, earlierDemoImage } from "./control/demo-config.ts";
import { endProcess } from "./control/end-process.ts";
import { Exports } from "./control/exports.ts";
import { readiness } from "./control/health.ts";
import { addMetricsRoute } from "./control/metrics/metrics-route.ts";
import { Metrics } from "./control/metrics/metrics.ts";
import { PoolStore } from "./control/pool-store.ts";
import { fittingTargets } from "./control/plane/fitting-targets.ts";
import { ControlPlane, type PlaneView } from "./control/plane/control-plane.ts";
import { PortalStore } from "./control/portal-store.ts";
import { portalsFromArguments } from "./control/portals.ts";
import { controlSocketPath } from "./control/protocol.ts";
import { announceReadiness, type ReadinessTargets } from "./control/readiness.ts";
import { reload } from "./control/reload.ts";
import { notifyBySystemdNotify, ServiceManager } from "./control/service-manager.ts";
import { defaultStateFolder, systemSurroundings } from "./control/state-folder.ts";
import { StateStore } from "./control/state-store.ts";
import { VolumeStore } from "./control/volume-store.ts";
import { linkControlSocket } from "./control/tgt/server/control-link.ts";
import { startTgt, type TgtFace } from "./control/tgt/server/start-tgt.ts";
import { tgtConfig } from "./control/tgt/tgt-config.ts";
import { endsWithin } from "./control/within.ts";
import { AccessList } from "./iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "./iscsi/auth/authentication-policy.ts";
import type { DiscoveryPolicy } from "./iscsi/login/login-types.ts";
import { DEFAULT_OFFERS } from "./iscsi/parameters.ts";
import { IscsiServer } from "./iscsi/server.ts";
import { systemFailureMark } from "./thin/members/failure-mark.ts";
import { systemOwner } from "./thin/members/owner.ts";
import { systemClock, systemUptimeMs } from "./util/clock.ts";
import { type Log, type LogLevel, type LogOutput, openLog } from "./util/log.ts";
import { programVersion } from "./util/program-version.ts";
import { systemRandomBytes } from "./util/random.ts";

/** What the command line says. */
export interface DaemonOptions {
  /** Null: the demonstration disk, or nothing where it stands for tgt's daemon. */
  readonly configFile: string | null;
  /** Null: as configured, or the default of the user. */
  readonly stateDir: string | null;
  /** In the place of the configured portals, where there are any. */
  readonly portals: readonly string[];
  /** Null: as configured. */
  readonly logLevel: LogLevel | null;
  readonly ready: ReadinessTargets;
  /** Whether somebody watches the standard output. */
  readonly terminal: boolean;
  /** Where tgtadm expects tgt's daemon; left out: this one does not stand for it. */
  readonly tgtSocket?: string;
}

/** A LUN as a person wants to hear of it. */
export interface RunningLun {
  readonly lun: number;
  readonly volume: string;
  readonly capacityBytes: number;
  /** Where it lies; null for memory. */
  readonly path: string | null;
  readonly isNew: boolean;
}

export interface RunningTarget {
  readonly name: string;
  readonly usesChap: boolean;
  readonly luns: readonly RunningLun[];
}

/** A daemon that accepts logins. */
export interface Running {
  readonly portals: readonly Endpoint[];
  readonly stateDir: string;
  readonly targets: readonly RunningTarget[];
  /** The demonstration disk, as commands call it; null: something was configured. */
  readonly demo: string | null;
}

/** How long initiators that are asked to log out may take. */
const LOGOUT_GRACE_MS = 3_000;

/**
 * How long sessions may take to end in all. A command on a disk that is stuck never ends, and what the other disks hold
 * has to be flushed nevertheless.
 */
const SESSIONS_MS_MAX: number = LOGOUT_GRACE_MS + 3_000;

/** A shutdown that takes longer than this hangs on a device that is stuck. What is acknowledged is with the kernel. */
const SHUTDOWN_MS_MAX = 30_000;

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

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
  const { config, warnings } = configure(options);
  const output = openLog({
    level: options.logLevel ?? config.log.level,
    pretty: config.log.pretty === "on" || (config.log.pretty === "auto" && options.terminal),
  });
  const { log } = output;
  for (const finding of warnings) log.warn({}, describeFinding(options.configFile ?? "", finding));
  const releaseFatal = endOnDefects(output);
  const stop = listenForStop(output);
  const service = serviceManager(log);
  const daemon = new Daemon(options, config, { log, service, stop: () => stop.ask("tgtadm") });
  process.on("SIGHUP", daemon.onHangUp);
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
    process.off("SIGHUP", daemon.onHangUp);
    await service.close();
    stop.release();
    releaseFatal();
    output.flush();
  }
}

function serviceManager(log: Log): ServiceManager {
  return new ServiceManager({
    environment: process.env,
    pid: process.pid,
    clock: systemClock,
    log,
    monotonicUs: () => process.hrtime.bigint() / 1000n,
    notify: notifyBySystemdNotify,
  });
}

interface Configured {
  readonly config: Config & { readonly stateDir: string };
  readonly warnings: readonly Finding[];
}

/** tgt's daemon begins without anything. */
function isDemo({ configFile, tgtSocket }: DaemonOptions): boolean {
  return configFile === null && tgtSocket === undefined;
}

/** The configuration with what the command line changes of it. */
function configure(options: DaemonOptions): Configured {
  const fallback = defaultStateFolder(systemSurroundings());
  const builtIn = isDemo(options) ? demoConfig : tgtConfig;
  const parsed =
    options.configFile === null
      ? { config: builtIn(options.stateDir ?? fallback), warnings: [] }
      : loadConfig(options.configFile);
  const given = portalsFromArguments(options.portals);
  const stateDir = options.stateDir ?? parsed.config.stateDir ?? fallback;
  const portals = given.length > 0 ? given : parsed.config.portals;
  return { config: { ...parsed.config, stateDir, portals }, warnings: parsed.warnings };
}

/** A defect must not go on writing. What was acknowledged is with the kernel, so to end at once loses nothing of it. */
function endOnDefects({ log, flush }: LogOutput): () => void {
  const end = (error: unknown): void => {
    endProcess(1, () => {
      log.fatal({ error }, "a defect of the program: it ends here");
      flush();
    });
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
  return () => {
    process.off("uncaughtException", end);
    process.off("unhandledRejection", end);
  };
}

interface StopSignal {
  /** Resolves at the first signal to stop. */
  readonly asked: Promise<void>;
  /** As a signal does. */
  readonly ask: (why: string) => void;
  readonly release: () => void;
}

/** After the first signal to stop, a second one or too long a time ends the process at once. */
function listenForStop({ log, flush }: LogOutput): StopSignal {
  const force = (why: string): void => {
    endProcess(1, () => {
      const rest = "ending without waiting; nothing acknowledged is lost unless power fails";
      log.fatal({}, `${why}: ${rest}`);
      flush();
    });
  };
  let limit: NodeJS.Timeout | null = null;
  let resolve: () => void = () => undefined;
  const asked = new Promise<void>((settle) => (resolve = settle));
  const onSignal = (signal: NodeJS.Signals): void => {
    if (limit !== null) return force(`second ${signal}`);
    ask(signal);
  };
  const ask = (signal: string): void => {
    if (limit !== null) return;
    log.info({ signal }, "shutting down; a second signal ends at once");
    limit = setTimeout(() => force("the shutdown takes too long"), SHUTDOWN_MS_MAX).unref();
    resolve();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  const release = (): void => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    if (limit !== null) clearTimeout(limit);
  };
  return { asked, ask, release };
}

/** What operations work on besides pools and volumes. */
interface OperatedParts {
  readonly plane: ControlPlane;
  readonly portals: PortalStore;
  readonly state: StateStore;
}

/** What the daemon runs in. */
interface Surroundings {
  readonly log: Log;
  readonly service: ServiceManager;
  /** Has the daemon end in order. */
  readonly stop: () => void;
}

/** The parts in the order in which they start; they stop in the opposite order, as far as they came. */
class Daemon {
  readonly #options: DaemonOptions;
  readonly #startedAt = new Date();
  readonly #log: Log;
  readonly #service: ServiceManager;
  readonly #askToStop: () => void;
  readonly #server: IscsiServer;
  readonly #config: Config & { readonly stateDir: string };
  #state: StateStore | null = null;
  #pools: PoolStore | null = null;
  #volumes: VolumeStore | null = null;
  #exports: Exports | null = null;
  #plane: ControlPlane | null = null;
  #control: ControlServer | null = null;
  #tgt: TgtFace | null = null;
  #unlink: () => Promise<void> = () => Promise.resolve();
  #endpoints: readonly Endpoint[] = [];
  #isRunning = false;
  /** SIGHUP came before there was anything that could be changed. */
  #hungUp = false;
  #reloading: Promise<void> = Promise.resolve();

  constructor(
    options: DaemonOptions,
    config: Config & { readonly stateDir: string },
    { log, service, stop }: Surroundings,
  ) {
    this.#options = options;
    this.#service = service;
    this.#askToStop = stop;
    this.#config = config;
    this.#log = log;
    this.#server = new IscsiServer({
      log,
      clock: systemClock,
      randomBytes: systemRandomBytes,
      poll: config.poll,
      discovery: discoveryPolicy(config.discovery),
      limits: { connectionsMax: config.limits.connections },
    });
  }

  /** State, pools, volumes, logical units and targets, portals: nobody can log in to what is not there yet. */
  async start(): Promise<Running> {
    const config = this.#config;
    const log = this.#log;
    const state = await StateStore.open(config.stateDir, { makeUuid: randomUUID });
    this.#state = state;
    if (isDemo(this.#options)) tellOfEarlierDemo(config.stateDir, log);
    const plane = new ControlPlane({ log: log.child({ part: "audit" }), keeper: state, config });
    this.#plane = plane;
    this.#serveDiscovery(plane);
    const all = withOptionalState(plane.view);
    const pools = await this.#openPools(state, all.pools);
    await plane.takeBack({ log, volumeIdentities: state.volumes, pools });
    const volumes = new VolumeStore(log, state.volumes, pools.find);
    this.#volumes = volumes;
    for (const [name, volume] of all.volumes) await volumes.open(name, volume);
    const server = this.#server;
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
    for (const portal of state.inventory.portals) await this.#tryPortal(portals, portal);
    plane.start({
      log,
      clock: systemClock,
      volumeIdentities: state.volumes,
      poolIdentities: state.pools,
      pools,
      volumes,
      portals,
      exports,
      hasSessions: (name) => [...server.sessions].some(({ target }) => target.name === name),
    });
    await this.#listenForOperations(pools, volumes, { plane, portals, state });
    const { tgtSocket } = this.#options;
    if (tgtSocket !== undefined) {
      const parts = { log, plane, server, volumes, portals, stop: this.#askToStop };
      this.#tgt = await startTgt(parts, tgtSocket);
      this.#unlink = await linkControlSocket(tgtSocket, controlSocketPath(config.stateDir));
    }
    this.#isRunning = true;
    if (this.#hungUp) this.onHangUp();
    const endpoints = portals.portals.map(({ endpoint }) => endpoint);
    this.#endpoints = endpoints;
    announceReadiness(this.#options.ready, endpoints);
    this.#service.ready(statusOf(plane, endpoints));
    return {
      portals: endpoints,
      stateDir: config.stateDir,
      targets: all.targets.map((target) => describeTarget(target, volumes, all.pools)),
      demo: isDemo(this.#options) ? DEMO_PATH : null,
    };
  }

  /** Of discovery, commands can change who is let in. */
  #serveDiscovery(plane: ControlPlane): void {
    const apply = (): void => {
      this.#server.configureDiscovery(discoveryPolicy(plane.view.all.discovery));
    };
    apply();
    plane.subscribe((differences) => {
      if (differences.some(({ kind }) => kind === "discovery")) apply();
    });
  }

  /** What a command has made must not keep the daemon from starting: it takes commands to put it right. */
  async #tryPortal(portals: PortalStore, portal: PortalConfig): Promise<void> {
    try {
      await portals.open(portal);
    } catch (error) {
      this.#log.error({ error }, "portal left out");
    }
  }

  async #openPools(
    { pools: identities }: StateStore,
    configured: Config["pools"],
  ): Promise<PoolStore> {
    const { stateDir } = this.#config;
    const pools = new PoolStore({
      log: this.#log,
      clock: systemClock,
      uptimeMs: systemUptimeMs,
      randomBytes: systemRandomBytes,
      identities,
      stateDir,
      owner: systemOwner,
      failureMark: systemFailureMark(),
    });
    this.#pools = pools;
    for (const [name, pool] of configured) await pools.open(name, pool);
    return pools;
  }

  async #listenForOperations(
    pools: PoolStore,
    volumes: VolumeStore,
    { plane, portals, state }: OperatedParts,
  ): Promise<void> {
    const { stateDir } = this.#config;
    const daemon = {
      plane,
      portals,
      volumes,
      server: this.#server,
      volumeIdentities: state.volumes,
      poolIdentities: state.pools,
      stateDir,
      version: programVersion(),
      startedAt: this.#startedAt,
      logoutGraceMs: LOGOUT_GRACE_MS,
    };
    const log = this.#log.child({ part: "control" });
    const context = {
      pools: pools.operated,
      isServed: volumes.serves,
      owner: systemOwner,
      clock: systemClock,
      makeUuid: randomUUID,
      backupDir: join(stateDir, "backup"),
      now: () => new Date(),
      log,
      daemon,
    };
    const metrics = new Metrics(
      { server: this.#server, pools: pools.operated, version: daemon.version },
      true,
    );
    this.#control = new ControlServer({
      context,
      log,
      addRoutes: (app) => addMetricsRoute(app, metrics),
      unready: () =>
        readiness({
          isRunning: this.#isRunning,
          portals: portals.portals.length,
          pools: pools.operated(),
        }),
    });
    await this.#control.listen(controlSocketPath(stateDir));
    await this.#control.configureTcp(this.#config.http);
  }

  /**
   * SIGHUP. One is worked off after the other: two that change the size of a volume at a time could shrink it. One that
   * comes while the daemon starts is worked off then; one that comes while it stops does nothing, and above all it does not end
   * the process.
   */
  readonly onHangUp = (): void => {
    if (!this.#isRunning) this.#hungUp = true;
    else this.#reloading = this.#reloading.then(() => this.#reload()).catch(this.#onReloadError);
  };

  /** Pools of commands that could not be opened before may be there by now. */
  async #tryPools(made: Config["pools"]): Promise<void> {
    for (const [name, pool] of made) {
      if (this.#pools?.find(name) !== undefined) continue;
      await this.#pools?.open(name, { ...pool, optional: true });
    }
  }

  /** Whatever is wrong with a reading of the configuration, sessions go on. */
  readonly #onReloadError = (error: unknown): void => {
    this.#log.error({ error }, "the configuration could not be read again");
    const plane = this.#plane;
    if (this.#isRunning && plane !== null) this.#service.ready(statusOf(plane, this.#endpoints));
  };

  async #reload(): Promise<void> {
    const volumes = this.#volumes;
    const exports = this.#exports;
    const plane = this.#plane;
    if (!this.#isRunning || volumes === null || exports === null || plane === null) return;
    let read: Config | null = null;
    const load = (): Config => (read = configure(this.#options).config);
    this.#service.reloading();
    await plane.exclusively(async () => {
      const { configFile } = this.#options;
      if (configFile !== null) await fileSettled(configFile, systemClock);
      const { config: running, inventory: made, all } = plane.view;
      await this.#pools?.refresh();
      await this.#tryPools(made.pools);
      // Their numbers as they have been given are taken, too.
      const inventory = { ...made, targets: all.targets.slice(running.targets.length) };
      const log = this.#log;
      const asked = { log, clock: systemClock, load, running, inventory, volumes, exports };
      plane.adopt(await reload(asked), read);
    });
    await this.#configureHttp(plane.view.config.http);
    this.#service.ready(statusOf(plane, this.#endpoints));
  }

  async #configureHttp(http: Config["http"]): Promise<void> {
    try {
      await this.#control?.configureTcp(http);
    } catch (error) {
      this.#log.error({ error }, "HTTP is not served as the configuration says");
    }
  }

  /**
   * No new logins, initiators log out, commands end, volumes are flushed, state is let go. Sessions that hang or fail do
   * not keep a volume from being flushed.
   */
  async stop(graceMs: number): Promise<Ending> {
    this.#isRunning = false;
    const operations = Promise.all([this.#control?.close(), this.#tgt?.close(), this.#unlink()]);
    // A change that waits is refused from here on; one that runs ends, or is taken back.
    const changes = this.#plane?.close();
    const all = Promise.all([this.#endSessions(graceMs), this.#reloading, operations, changes]);
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

/** What `systemctl status` shows. */
function statusOf({ view }: ControlPlane, endpoints: readonly Endpoint[]): string {
  const count = view.all.targets.length;
  const where = endpoints.map(formatEndpoint).join(", ");
  return `${count} ${count === 1 ? "target" : "targets"} on ${where}`;
}

function discoveryPolicy({ enabled, access, authentication }: DiscoveryConfig): DiscoveryPolicy {
  return {
    enabled,
    access: new AccessList(access),
    authentication: new AuthenticationPolicy(authenticationRules(authentication)),
    offers: DEFAULT_OFFERS,
  };
}

/** All that is wanted. What a command has made must not keep the daemon from starting: it takes commands to put it right. */
function withOptionalState({ all, inventory }: PlaneView): Config {
  const optionally = <T extends { readonly optional: boolean }>(
    things: ReadonlyMap<string, T>,
    made: ReadonlyMap<string, unknown>,
  ): ReadonlyMap<string, T> =>
    new Map(
      [...things].map(([name, it]) => [name, made.has(name) ? { ...it, optional: true } : it]),
    );
  const pools = optionally(all.pools, inventory.pools);
  return { ...all, pools, volumes: optionally(all.volumes, inventory.volumes) };
}

function tellOfEarlierDemo(stateDir: string, log: Log): void {
  const path = earlierDemoImage(stateDir);
  if (!existsSync(path)) return;
  log.warn({ path }, "the disk of an earlier version is left as it is; to use it: driver raw");
}

/** Where a volume lies, for people; null: in memory. */
function placeOf(config: VolumeConfig, pools: Config["pools"]): string | null {
  switch (config.driver) {
    case "raw":
      return config.path;
    case "memory":
    case "null":
      return null;
    case "thin":
      return `thin, in ${pools.get(config.pool)?.devices.join(", ") ?? config.pool}`;
  }
}

function describeTarget(
  target: TargetConfig,
  { volumes }: VolumeStore,
  pools: Config["pools"],
): RunningTarget {
  const luns = target.luns.flatMap(({ lun, volume: name }): RunningLun[] => {
    const opened = volumes.get(name);
    if (opened === undefined) return [];
    const path = placeOf(opened.config, pools);
    const { capacityBytes } = opened.volume;
    return [{ lun, volume: name, capacityBytes, path, isNew: opened.isNew }];
  });
  return { name: target.name, usesChap: target.authentication !== null, luns };
}
