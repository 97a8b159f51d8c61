import type { Config, VolumeConfig } from "./config/config.ts";
import { type Endpoint, formatEndpoint } from "./config/endpoint.ts";
import type { OpenPortal } from "./portal-store.ts";
import type { VolumeStore } from "./volume-store.ts";

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

/** Targets for people, with the LUNs that are there. */
export function describeTargets(
  { targets, pools }: Pick<Config, "targets" | "pools">,
  volumes: VolumeStore["volumes"],
): readonly RunningTarget[] {
  return targets.map(({ name, authentication, luns }) => {
    const there = luns.flatMap(({ lun, volume }): RunningLun[] => {
      const opened = volumes.get(volume);
      if (opened === undefined) return [];
      const path = placeOf(opened.config, pools);
      const { capacityBytes } = opened.volume;
      return [{ lun, volume, capacityBytes, path, isNew: opened.isNew }];
    });
    return { name, usesChap: authentication !== null, luns: there };
  });
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

/** What `systemctl status` shows. */
export function statusText(
  targets: readonly unknown[],
  portals: readonly Pick<OpenPortal, "endpoint">[],
): string {
  const count = targets.length;
  const where = portals.map(({ endpoint }) => formatEndpoint(endpoint)).join(", ");
  return `${count} ${count === 1 ? "target" : "targets"} on ${where}`;
}
