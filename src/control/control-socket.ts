import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { codeOf, messageOf, StartError } from "./start-error.ts";

/** Only the owner may ask the daemon for anything. */
const SOCKET_MODE = 0o600;

/** What the kernel has room for in an address of a unix socket, without the byte at the end. */
const PATH_BYTES_MAX = 107;

/**
 * Listens on a unix socket that only its owner can use. The file of a daemon that died is replaced; that of a living one is not.
 *
 * @throws {StartError} a daemon listens there; something else is there; or the system refuses
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new StartError(
      `${path} is too long for a socket (${PATH_BYTES_MAX} bytes); choose another folder with --state-dir`,
    );
  }
  await removeStale(path);
  // Between the two there would be a moment in which others could connect.
  const before = process.umask(0o777 & ~SOCKET_MODE);
  try {
    await listen(server, path);
  } finally {
    process.umask(before);
  }
  await chmod(path, SOCKET_MODE);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      reject(new StartError(`the control socket ${path} cannot be made: ${messageOf(error)}`));
    };
    server.once("error", refuse);
    server.listen(path, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

async function removeStale(path: string): Promise<void> {
  try {
    const stats = await lstat(path);
    if (!stats.isSocket()) {
      throw new StartError(`${path} is in the way of the control socket: move it elsewhere`);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (await isAlive(path)) {
    throw new StartError(`another daemon listens on ${path}; stop it, or choose another folder`);
  }
  await unlink(path);
}

/** Whether somebody accepts connections; whoever is too busy to is alive, too. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(codeOf(error))));
  });
}
