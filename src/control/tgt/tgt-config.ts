import { existsSync } from "node:fs";
import type { Config, PortalConfig } from "../config/config.ts";
import { ISCSI_PORT } from "../config/endpoint.ts";
import { demoConfig } from "../demo-config.ts";

/** Where tgtd listens unless it is told: everywhere, in as many families as the kernel has. */
function defaultPortals(): readonly PortalConfig[] {
  const addresses = existsSync("/proc/net/if_inet6") ? ["0.0.0.0", "::"] : ["0.0.0.0"];
  return addresses.map((address) => {
    return { listen: { address, port: ISCSI_PORT }, group: 1, advertise: null };
  });
}

/** What a daemon begins with that stands for tgt's: portals, and nothing behind them but what commands have made. */
export function tgtConfig(stateDir: string): Config {
  return {
    ...demoConfig(stateDir),
    portals: defaultPortals(),
    pools: new Map(),
    volumes: new Map(),
    targets: [],
  };
}
