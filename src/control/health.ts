import type { OperatedPool } from "./operations/operation.ts";

/** What the daemon's health is told from. */
export interface HealthSources {
  /** False while it starts and while it stops. */
  readonly isRunning: boolean;
  /** Addresses on which logins are accepted; null where nobody knows of them. */
  readonly portals: number | null;
  readonly pools: readonly { readonly pool: Pick<OperatedPool["pool"], "name" | "failure"> }[];
}

/**
 * Why initiators cannot work as they should, a few words each; empty where they can. That the daemon is alive is another matter: it
 * answers, and to end all sessions for a pool that has failed would only harm those of others.
 */
export function readiness({ isRunning, portals, pools }: HealthSources): string[] {
  const reasons: string[] = [];
  if (!isRunning) reasons.push("the daemon is starting or stopping");
  else if (portals === 0) reasons.push("no portal is open");
  for (const { pool } of pools) {
    if (pool.failure !== null) reasons.push(`pool ${pool.name} failed`);
  }
  return reasons;
}
