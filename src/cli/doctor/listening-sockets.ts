/** The state of a socket that listens, as the kernel writes it. */
const LISTEN = "0A";

/** Reads /proc/net/tcp and tcp6: the inode of the socket that listens on a port, or null. */
export function listeningInode(text: string, port: number): string | null {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of text.split("\n")) {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === LISTEN && local.endsWith(`:${wanted}`) && inode !== undefined) return inode;
  }
  return null;
}
