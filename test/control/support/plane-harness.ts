import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../../src/control/config/config.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { type ReplacementSteps, systemSteps } from "../../../src/control/durable-file.ts";
import { Exports } from "../../../src/control/exports.ts";
import { ControlPlane } from "../../../src/control/plane/control-plane.ts";
import { withOptionalThings } from "../../../src/control/plane/optional-things.ts";
import { fittingTargets } from "../../../src/control/plane/fitting-targets.ts";
import type { PlaneParts } from "../../../src/control/plane/transaction.ts";
import { PoolStore } from "../../../src/control/pool-store.ts";
import { PortalStore } from "../../../src/control/portal-store.ts";
import { StateStore } from "../../../src/control/state-store.ts";
import { VolumeStore } from "../../../src/control/volume-store.ts";
import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { IscsiServer } from "../../../src/iscsi/server.ts";
import { systemFailureMark } from "../../../src/thin/members/failure-mark.ts";
import { systemOwner } from "../../../src/thin/members/owner.ts";
import { type Clock, systemClock } from "../../../src/util/clock.ts";
import type { Log } from "../../../src/util/log.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

/** A configuration with nothing in it but a portal on a free port. */
export function emptyConfig(folder: string): Config {
  const listen = { address: "127.0.0.1", port: 0 };
  return {
    ...demoConfig(folder),
    portals: [{ listen, group: 1, advertise: null }],
    pools: new Map(),
    volumes: new Map(),
    targets: [],
  };
}

export interface PlaneHarnessOptions {
  /** Kept when the harness is disposed of: another one may follow. */
  readonly folder?: string;
  readonly config?: Config;
  readonly steps?: ReplacementSteps;
  /** Of the server of sessions. */
  readonly clock?: Clock;
}

/** The control plane on all that it works on, in a folder of its own: a daemon without its command line. */
export class PlaneHarness {
  readonly folder: string;
  readonly lines: LogLine[];
  readonly server: IscsiServer;
  readonly state: StateStore;
  readonly plane: ControlPlane;
  readonly parts: PlaneParts & { readonly pools: PoolStore };
  readonly #keepsFolder: boolean;

  private constructor(
    folder: string,
    lines: LogLine[],
    made: Pick<PlaneHarness, "server" | "state" | "plane" | "parts">,
    keepsFolder: boolean,
  ) {
    this.folder = folder;
    this.lines = lines;
    this.server = made.server;
    this.state = made.state;
    this.plane = made.plane;
    this.parts = made.parts;
    this.#keepsFolder = keepsFolder;
  }

  static async start(options: PlaneHarnessOptions = {}): Promise<PlaneHarness> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "thinlun-plane-")));
    const lines: LogLine[] = [];
    const log = recordingLog(lines);
    const stateDir = join(folder, "state");
    const state = await StateStore.open(stateDir, {
      makeUuid: randomUUID,
      steps: options.steps ?? systemSteps,
    });
    const plane = await planeOf(state, log, options.config ?? emptyConfig(folder));
    const server = newServer(log, options.clock ?? systemClock);
    const parts = partsOf({ log, state, stateDir, server });
    const all = withOptionalThings(plane.view);
    for (const [name, pool] of all.pools) await parts.pools.open(name, pool);
    await plane.takeBack(parts);
    for (const [name, volume] of all.volumes) await parts.volumes.open(name, volume);
    for (const target of fittingTargets(plane.view, log)) parts.exports.add(target);
    for (const portal of plane.view.config.portals) await parts.portals.open(portal);
    for (const portal of plane.view.inventory.portals) await parts.portals.tryOpen(portal);
    plane.start(parts);
    const made = { server, state, plane, parts };
    return new PlaneHarness(folder, lines, made, options.folder !== undefined);
  }

  /** Ends everything in order; the folder goes, too, unless it was given. */
  async dispose(): Promise<void> {
    await this.server.shutdown(0);
    this.parts.exports.close();
    await this.parts.volumes.closeAll();
    await this.parts.pools.closeAll();
    await this.state.close();
    if (!this.#keepsFolder) await rm(this.folder, { recursive: true });
  }
}

async function planeOf(state: StateStore, log: Log, config: Config): Promise<ControlPlane> {
  try {
    return new ControlPlane({ log, keeper: state, config });
  } catch (error) {
    await state.close();
    throw error;
  }
}

function newServer(log: Log, clock: Clock): IscsiServer {
  return new IscsiServer({
    log,
    clock,
    randomBytes: systemRandomBytes,
    poll: "off",
    discovery: {
      enabled: true,
      access: new AccessList(),
      authentication: new AuthenticationPolicy(),
      offers: DEFAULT_OFFERS,
    },
  });
}

interface PartsOptions {
  readonly log: Log;
  readonly state: StateStore;
  readonly stateDir: string;
  readonly server: IscsiServer;
}

function partsOf({ log, state, stateDir, server }: PartsOptions): PlaneHarness["parts"] {
  const pools = new PoolStore({
    log,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    identities: state.pools,
    stateDir,
    owner: systemOwner,
    failureMark: systemFailureMark(),
  });
  const volumes = new VolumeStore(log, state.volumes, pools.find);
  const exports = new Exports({
    log,
    clock: systemClock,
    server,
    volumes: volumes.volumes,
    logoutGraceMs: 0,
  });
  const hasSessions = (name: string): boolean =>
    [...server.sessions].some(({ target }) => target.name === name);
  const portals = new PortalStore(log, server);
  const { volumes: volumeIdentities, pools: poolIdentities } = state;
  return {
    log,
    clock: systemClock,
    volumeIdentities,
    poolIdentities,
    pools,
    volumes,
    portals,
    exports,
    hasSessions,
  };
}
