import type { Pool, Steps, Volume } from "./pool.ts";

/** Passes the volume's gate; undefined where the volume is gone. Pair it with {@link leave}. */
export function* enter(pool: Pool, id: number): Steps<Volume | undefined> {
  yield undefined;
  for (;;) {
    const volume = pool.volumes.get(id);
    if (volume === undefined) return undefined;
    if (!volume.isGated) {
      volume.active += 1;
      return volume;
    }
    yield () => !(pool.volumes.get(id)?.isGated ?? false);
  }
}

export function leave(volume: Volume): void {
  volume.active -= 1;
}

/** Waits for the extent's lock and takes it. */
export function* lock(volume: Volume, lext: number): Steps {
  while (volume.locks.has(lext)) yield () => !volume.locks.has(lext);
  volume.locks.add(lext);
}

export function unlock(volume: Volume, lext: number): void {
  volume.locks.delete(lext);
}

/**
 * Lets no new change into the volumes and waits until those in flight are done (rule N). Undefined where one of them
 * is gone by then. All gates close in one step, so that two who want the same volumes cannot wait for each other.
 */
export function* gate(
  pool: Pool,
  ids: readonly number[],
  drains: boolean,
): Steps<Volume[] | undefined> {
  yield undefined;
  const closed = (): boolean => ids.some((id) => pool.volumes.get(id)?.isGated ?? false);
  while (closed()) yield () => !closed();
  const volumes = ids.flatMap((id) => pool.volumes.get(id) ?? []);
  if (volumes.length < ids.length) return undefined;
  for (const volume of volumes) volume.isGated = true;
  const isQuiet = (): boolean => volumes.every(({ active }) => active === 0);
  if (drains && !isQuiet()) yield isQuiet;
  return volumes;
}

export function ungate(volumes: readonly Volume[]): void {
  for (const volume of volumes) volume.isGated = false;
}
