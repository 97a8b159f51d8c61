import { once } from "node:events";
import { join } from "node:path";
import { spawnMortal } from "../../test/support/mortal-child.ts";
import type { LoadShape } from "../result.ts";
import type { Peer } from "./peer.ts";
import { noDigests, runningServer } from "./server.ts";

function objection(load: LoadShape): string | null {
  if (load.kind !== "read" && load.kind !== "write") return "an echo reads or writes";
  if (load.flushEvery > 0 || load.isCold) return "there is nothing behind an echo";
  return load.luns > 1 ? "an echo has no LUNs" : noDigests(load);
}

/** Requests and replies of the same sizes over TCP, by two Node processes: the network's share of each figure. */
export const tcpEcho: Peer = {
  name: "tcp-echo",
  role: "bound",
  protocol: "tcp",
  generator: "echo",
  find: () => Promise.resolve({ version: `Node ${process.version}` }),
  objection,
  start: async () => {
    const program = join(import.meta.dirname, "..", "drivers", "echo-server.ts");
    const child = spawnMortal(process.execPath, ["--import", "tsx", program]);
    const failed = once(child, "exit").then(() => {
      throw new Error("the echo does not start");
    });
    const stdout = child.stdout;
    if (stdout === null) throw new Error("the echo tells its port");
    const [line] = (await Promise.race([once(stdout, "data"), failed])) as [Buffer];
    failed.catch(() => undefined);
    const port = Number(line.toString());
    return runningServer({ child, port, protocol: "tcp", targetName: "", luns: [0] });
  },
};
