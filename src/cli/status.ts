import type { CommandModule } from "yargs";
import type { StatusReport } from "../control/protocol.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "./daemon-access.ts";
import { print } from "./output.ts";
import { counted } from "./target-text.ts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Such as "3 d 4 h": the two largest units. */
export function formatDuration(seconds: number): string {
  const units: (readonly [string, number])[] = [
    ["d", Math.floor(seconds / DAY)],
    ["h", Math.floor((seconds % DAY) / HOUR)],
    ["min", Math.floor((seconds % HOUR) / MINUTE)],
    ["s", seconds % MINUTE],
  ];
  const first = units.findIndex(([, count]) => count > 0);
  const shown = first === -1 ? units.slice(-1) : units.slice(first, first + 2);
  return shown.map(([unit, count]) => `${count} ${unit}`).join(" ");
}

/** The daemon at a glance, and what is wrong with it. */
export function statusText(status: StatusReport): string {
  const lines = [
    `thinlun ${status.version}, process ${status.pid}, up for ${formatDuration(status.uptimeSeconds)}`,
    `  state     ${status.stateDir}`,
    `  portals   ${status.portals.length === 0 ? "none" : status.portals.join(", ")}`,
    `  serves    ${counted(status.targetCount, "target")}, ${counted(status.lunCount, "LUN")}, ${counted(status.sessionCount, "session")}`,
    `  keeps     ${counted(status.poolCount, "pool")}, ${counted(status.volumeCount, "volume")}`,
    ...status.failedPools.map(({ pool, failure }) => `  FAILED    pool ${pool}: ${failure}`),
    ...status.missingLuns.map((lun) => `  MISSING   ${lun}: its volume could not be opened`),
  ];
  return `${lines.join("\n")}\n`;
}

/** `thinlun status`. */
export const statusCommand: CommandModule<object, DaemonOptions> = {
  command: "status",
  describe: "How the daemon is, at a glance",
  builder: (yargs) => yargs.options(DAEMON_OPTIONS).example("$0 status", ""),
  handler: async (args) => {
    const status = await withDaemon(args, (daemon) => daemon.call("system/status", {}));
    print(status, args.json, () => statusText(status));
  },
};
