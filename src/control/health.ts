import type { PoolStatistics } from "../thin/pool/statistics.ts";
import type { Config, PortalConfig } from "./config/config.ts";
import { formatEndpoint } from "./config/endpoint.ts";
import type { OperatedPool } from "./operations/operation.ts";

/** What the daemon's health is told from. */
export interface HealthSources {
  /** False while it starts and while it stops. */
  readonly isRunning: boolean;
  /** Addresses on which logins are accepted; null where nobody knows of them. */
  readonly portals: number | null;
  readonly pools: readonly { readonly pool: Pick<OperatedPool["pool"], "name" | "failure"> }[];
  /** What should be there and is not, as {@link missingOf} has it. */
  readonly missing?: readonly string[];
}

/** Whoever reads it looks at the first ones; the log has them all. */
const NAMED_MAX = 20;

const MS_PER_SECOND = 1000;

/** Time in which the event loop turns once, also on a busy host: an initiator asks after its target when it has heard nothing for 5 s. */
const STALL_MS_MAX = 10_000;

/**
 * How long a flush may take. A disk that does not answer is reset by the kernel within a few times 30 s, and initiators give up after
 * 120 s: what has not come back by then does not come back.
 */
const BARRIER_MS_MAX = 120_000;

/**
 * Why initiators cannot work as they should, a few words each that name what it is about; empty where they can. That the daemon is alive is
 * another matter: to end all sessions for a pool that has failed would only harm those of others.
 */
export function readiness({ isRunning, portals, pools, missing = [] }: HealthSources): string[] {
  const reasons: string[] = [];
  if (!isRunning) reasons.push("the daemon is starting or stopping");
  else if (portals === 0) reasons.push("no portal is open");
  for (const { pool } of pools) {
    if (pool.failure !== null) reasons.push(`pool ${pool.name} failed`);
  }
  // While it starts, everything is on its way.
  if (isRunning) reasons.push(...missing);
  if (reasons.length <= NAMED_MAX) return reasons;
  return [...reasons.slice(0, NAMED_MAX), `and ${reasons.length - NAMED_MAX} more`];
}

/** What is there of what should be. */
export interface Present {
  readonly hasPool: (name: string) => boolean;
  readonly hasVolume: (name: string) => boolean;
  readonly portals: readonly PortalConfig[];
}

/** Pools, volumes and portals that are wanted and not there. What is optional may be missing. */
export function missingOf(
  wanted: Pick<Config, "pools" | "volumes" | "portals">,
  { hasPool, hasVolume, portals }: Present,
): string[] {
  const listening = new Set(portals.map(({ listen }) => formatEndpoint(listen)));
  const pools = [...wanted.pools].filter(([name, it]) => !it.optional && !hasPool(name));
  const volumes = [...wanted.volumes].filter(([name, it]) => !it.optional && !hasVolume(name));
  const closed = wanted.portals.filter(({ listen }) => !listening.has(formatEndpoint(listen)));
  return [
    ...pools.map(([name]) => `pool ${name} is not open`),
    ...volumes.map(([name]) => `volume ${name} is not open`),
    ...closed.map(({ listen }) => `portal ${formatEndpoint(listen)} is not open`),
  ];
}

/** What tells whether the daemon only seems to live. */
export interface LifeSources {
  /** The longest time of late in which the event loop did not turn, in milliseconds. */
  readonly stallMs: number;
  readonly pools: readonly {
    readonly pool: {
      readonly name: string;
      readonly failure: unknown;
      statistics(): Pick<PoolStatistics, "barrierRunningMs">;
    };
  }[];
}

/** Why the daemon is better started anew: what is stuck, a few words each; empty where nothing is. */
export function stuckness({ stallMs, pools }: LifeSources): string[] {
  const reasons: string[] = [];
  if (stallMs > STALL_MS_MAX) {
    reasons.push(`the event loop stood still for ${seconds(stallMs)}`);
  }
  for (const { pool } of pools) {
    // What has failed is stuck no more: it refuses.
    if (pool.failure !== null) continue;
    const { barrierRunningMs } = pool.statistics();
    if (barrierRunningMs <= BARRIER_MS_MAX) continue;
    reasons.push(`a flush of pool ${pool.name} has not come back for ${seconds(barrierRunningMs)}`);
  }
  return reasons;
}

function seconds(ms: number): string {
  return `${Math.floor(ms / MS_PER_SECOND)} s`;
}
