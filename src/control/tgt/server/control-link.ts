import { rm, symlink } from "node:fs/promises";
import { resolve } from "node:path";

/** Behind the name of tgt's socket: where tgt-admin finds the socket of a daemon that can take all of a change at once. */
const SUFFIX = ".thinlun";

/**
 * Puts a link to the daemon's control socket beside its socket for tgt's commands, in the place of one that an earlier daemon has
 * left. Returns how to take it away.
 */
export async function linkControlSocket(
  tgtSocket: string,
  controlSocket: string,
): Promise<() => Promise<void>> {
  const path = `${tgtSocket}${SUFFIX}`;
  await rm(path, { force: true });
  await symlink(resolve(controlSocket), path);
  return () => rm(path, { force: true });
}
