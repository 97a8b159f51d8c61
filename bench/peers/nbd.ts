import { spawnMortal } from "../../test/support/mortal-child.ts";
import { freePort, untilListening } from "../support/process.ts";
import { findProgram } from "./find.ts";
import type { Peer } from "./peer.ts";
import { oneExport, runningServer } from "./server.ts";

interface NbdProgram {
  readonly name: string;
  readonly args: (port: number, file: string) => readonly string[];
}

/** A server of the first file over NBD: another protocol, with less to do for each request. */
function nbdPeer({ name, args }: NbdProgram): Peer {
  return {
    name,
    role: "target",
    protocol: "nbd",
    generator: "nbd",
    find: () => findProgram(name, ["--version"]),
    objection: oneExport,
    start: async ({ files: [file = ""] }) => {
      const port = await freePort();
      const child = spawnMortal(name, args(port, file));
      await untilListening(child, port, name);
      return runningServer({ child, port, protocol: "nbd", targetName: "", luns: [0] });
    },
  };
}

/** Clients at a time: those of the loads, and the one that has looked whether it listens. */
const CLIENTS = "64";

// prettier-ignore
export const qemuNbd: Peer = nbdPeer({
  name: "qemu-nbd",
  args: (port, file) => [
    "--persistent", "--shared", CLIENTS, "--bind", "127.0.0.1", "--port", String(port),
    "--format", "raw", "--cache", "writeback", "--discard", "unmap", file,
  ],
});

// prettier-ignore
export const nbdkit: Peer = nbdPeer({
  name: "nbdkit",
  args: (port, file) => [
    "--foreground", "--exit-with-parent", "--ipaddr", "127.0.0.1", "--port", String(port),
    "file", `file=${file}`,
  ],
});
