import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "../support/targets.ts";
import type { Peer } from "./peer.ts";
import { runningServer } from "./server.ts";

const TOP: string = join(import.meta.dirname, "..", "..");
const PROGRAM: string = join(TOP, "dist", "src", "cli", "thinlun.cjs");

/** The built thinlun, with raw volumes. */
export const thinlun: Peer = {
  name: "thinlun",
  role: "target",
  protocol: "iscsi",
  generator: "thinlun",
  find: () => {
    if (!existsSync(PROGRAM)) return Promise.resolve({ absent: "it is not built: npm run build" });
    const { version } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as {
      version: string;
    };
    return Promise.resolve({ version });
  },
  objection: () => null,
  start: async ({ folder, files }) => {
    const volumes = Object.fromEntries(
      files.map((path, index) => [`disk${index}`, { driver: "raw", path }]),
    );
    const { child, port, targetName } = await startDaemon(folder, { volumes });
    const luns = files.map((_, index) => index + 1);
    return runningServer({ child, port, protocol: "iscsi", targetName, luns });
  },
};
