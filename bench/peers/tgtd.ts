import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { spawnMortal } from "../../test/support/mortal-child.ts";
import { freePort, untilListening } from "../support/process.ts";
import { TARGET_NAME } from "../support/targets.ts";
import { findProgram } from "./find.ts";
import type { Peer } from "./peer.ts";
import { runningServer } from "./server.ts";

const execute = promisify(execFile);

/** A control port that no other tgtd uses; tgtd takes any number. */
const CONTROL_PORT = String(8000 + (process.pid % 1000));

/** Debian's tgtd, as it comes, on a port and control socket of its own. */
export const tgtd: Peer = {
  name: "tgtd",
  role: "target",
  protocol: "iscsi",
  generator: "thinlun",
  find: () => findProgram("tgtd", ["-V"]),
  objection: () => null,
  start: async ({ folder, files }) => {
    const port = await freePort();
    const sockets = join(folder, "tgt");
    mkdirSync(sockets, { recursive: true });
    const env = { ...process.env, TGT_IPC_SOCKET: join(sockets, "socket") };
    const args = ["-f", "-C", CONTROL_PORT, "--iscsi", `portal=127.0.0.1:${port}`];
    const child = spawnMortal("tgtd", args, env);
    await untilListening(child, port, "tgtd");
    const admin = (mode: string, op: string, ...rest: string[]): Promise<unknown> => {
      const what = ["-C", CONTROL_PORT, "--lld", "iscsi", "--mode", mode, "--op", op, "--tid", "1"];
      return execute("tgtadm", [...what, ...rest], { env });
    };
    await admin("target", "new", "-T", TARGET_NAME);
    // It takes none by itself; those who offer none go on without.
    for (const digest of ["HeaderDigest", "DataDigest"]) {
      await admin("target", "update", "--name", digest, "--value", "CRC32C,None");
    }
    for (const [index, file] of files.entries()) {
      const lun = ["--lun", String(index + 1)];
      await admin("logicalunit", "new", ...lun, "-b", file);
      // Without it UNMAP is refused.
      await admin("logicalunit", "update", ...lun, "--params", "thin_provisioning=1");
    }
    await admin("target", "bind", "-I", "ALL");
    const luns = files.map((_, index) => index + 1);
    return runningServer({ child, port, protocol: "iscsi", targetName: TARGET_NAME, luns });
  },
};
