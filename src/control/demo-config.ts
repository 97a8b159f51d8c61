import { join } from "node:path";
import { OPEN_ACCESS } from "../iscsi/auth/access-list.ts";
import { CONNECTIONS_MAX } from "../iscsi/limits.ts";
import { DEFAULT_OFFERS } from "../iscsi/parameters.ts";
import { TARGET_SESSIONS_MAX_DEFAULT } from "../iscsi/target.ts";
import type { Config } from "./config/config.ts";
import { ISCSI_PORT } from "./config/endpoint.ts";

/** The target that is there when nothing is configured. */
export const DEMO_TARGET = "iqn.2026-11.net.thinlun:demo";

const DEMO_VOLUME = "demo";

const DEMO_BYTES: number = 1024 * 1024 * 1024;

/** What the daemon does when it is told nothing: a sparse disk in its state folder, for this host only. */
export function demoConfig(stateDir: string): Config {
  return {
    stateDir,
    log: { level: "info", pretty: "auto" },
    poll: "auto",
    portals: [{ listen: { address: "127.0.0.1", port: ISCSI_PORT }, group: 1, advertise: null }],
    volumes: new Map([
      [
        DEMO_VOLUME,
        {
          driver: "raw",
          path: join(stateDir, "demo.img"),
          sizeBytes: DEMO_BYTES,
          create: true,
          direct: false,
          uuid: null,
          readOnly: false,
          optional: false,
          delayMs: 0,
        },
      ],
    ]),
    targets: [
      {
        name: DEMO_TARGET,
        alias: "thinlun demo",
        luns: [{ lun: 0, volume: DEMO_VOLUME, blockBytes: 512, readOnly: false, identity: {} }],
        authentication: null,
        access: OPEN_ACCESS,
        portalGroups: [],
        redirect: null,
        offers: DEFAULT_OFFERS,
        sessionsMax: TARGET_SESSIONS_MAX_DEFAULT,
      },
    ],
    discovery: { enabled: true, authentication: null, access: OPEN_ACCESS },
    limits: { connections: CONNECTIONS_MAX },
  };
}
