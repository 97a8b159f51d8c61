import { isDeepStrictEqual } from "node:util";
import { OperationError } from "../../../control/protocol.ts";
import type { ApplyClient } from "./apply-client.ts";
import { DaemonState } from "./daemon-state.ts";
import type { Runner } from "./runner.ts";
import type { AdminWorld } from "./world.ts";

/**
 * The daemon's own way to change all at once; null where it is a tgtd. One that was killed leaves a way behind that may lead to
 * another daemon than the one that tgtadm speaks to now: both have to tell of the same targets.
 */
export async function clientOf(runner: Runner, world: AdminWorld): Promise<ApplyClient | null> {
  const client = await world.applyClient(runner.controlPort);
  if (client === null) return null;
  try {
    const { targets } = await client.call("tgt/dump", { withSecrets: false });
    const told = new Map(targets.map(({ name, tid }) => [name, tid]));
    const { tids } = await DaemonState.read(runner);
    if (isDeepStrictEqual(sorted(told), sorted(tids))) return client;
  } catch (error) {
    // Nobody answers there any more.
    if (!(error instanceof OperationError)) throw error;
  }
  await client.close();
  return null;
}

function sorted(tids: ReadonlyMap<string, number | null>): unknown {
  return [...tids].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
