import { existsSync } from "node:fs";
import { join } from "node:path";
import { OPEN_ACCESS } from "../iscsi/auth/access-list.ts";
import { CONNECTIONS_MAX } from "../iscsi/limits.ts";
import { DEFAULT_PINGS } from "../iscsi/ping-watch.ts";
import { DEFAULT_OFFERS } from "../iscsi/parameters.ts";
import { TARGET_SESSIONS_MAX_DEFAULT } from "../iscsi/target.ts";
import type { Log } from "../util/log.ts";
import type { Config, TargetConfig } from "./config/config.ts";
import { ISCSI_PORT } from "./config/endpoint.ts";

/** The target that is there when nothing is configured. */
export const DEMO_TARGET = "iqn.2026-11.net.thinlun:demo";

const DEMO_POOL = "demo";

/** Not the name that the image of earlier versions had: that was another disk, with an identity of its own. */
const DEMO_VOLUME = "disk";

/** What commands call the disk. */
export const DEMO_PATH: string = `${DEMO_POOL}/${DEMO_VOLUME}`;

const GIB: number = 1024 * 1024 * 1024;
const DEMO_BYTES: number = 8 * GIB;

/** The file is sparse. It has room for the disk and for what snapshots keep. */
const DEMO_POOL_BYTES: number = 16 * GIB;
const DEMO_EXTENT_BYTES: number = 64 * 1024;

/** The disk of versions before there were pools is left as it is, and whoever has one is told. */
export function tellOfEarlierDemo(stateDir: string, log: Log): void {
  const path = join(stateDir, "demo.img");
  if (!existsSync(path)) return;
  log.warn({ path }, "the disk of an earlier version is left as it is; to use it: driver raw");
}

/** What the daemon does when it is told nothing: a thin disk in a sparse pool in its state folder, for this host only. */
export function demoConfig(stateDir: string): Config {
  return {
    stateDir,
    log: { level: "info", pretty: "auto" },
    poll: "auto",
    portals: [{ listen: { address: "127.0.0.1", port: ISCSI_PORT }, group: 1, advertise: null }],
    pools: new Map([
      [
        DEMO_POOL,
        {
          devices: [join(stateDir, "demo-pool.img")],
          create: { sizeBytes: DEMO_POOL_BYTES, extentBytes: DEMO_EXTENT_BYTES },
          direct: false,
          optional: false,
          thresholds: [80, 95],
          shared: false,
          takeOver: false,
          overcommitMax: null,
          autogrow: null,
          fullRetrySeconds: 60,
        },
      ],
    ]),
    volumes: new Map([
      [
        DEMO_VOLUME,
        {
          driver: "thin",
          pool: DEMO_POOL,
          name: null,
          sizeBytes: DEMO_BYTES,
          create: true,
          reserveBytes: null,
          quotaBytes: null,
          uuid: null,
          readOnly: false,
          optional: false,
          delayMs: 0,
        },
      ],
    ]),
    targets: [demoTarget()],
    discovery: { enabled: true, authentication: null, access: OPEN_ACCESS },
    accounts: [],
    limits: { connections: CONNECTIONS_MAX, pings: DEFAULT_PINGS },
    http: null,
  };
}

function demoTarget(): TargetConfig {
  const unit = { blockBytes: 512, readOnly: false, identity: {}, settings: {}, tgt: null } as const;
  return {
    name: DEMO_TARGET,
    alias: "thinlun demo",
    luns: [{ lun: 0, volume: DEMO_VOLUME, ...unit }],
    authentication: null,
    access: OPEN_ACCESS,
    portalGroups: [],
    redirect: null,
    offers: DEFAULT_OFFERS,
    pings: {},
    sessionsMax: TARGET_SESSIONS_MAX_DEFAULT,
    state: "ready",
    tid: null,
    tgt: null,
  };
}
