import type { CommandModule } from "yargs";
import type { DaemonOptions } from "../daemon.ts";
import { LOG_LEVELS, type LogLevel } from "../util/log.ts";
import { ExitCode } from "./exit-code.ts";
import { tgtSocketPath } from "./tgt/tgtd/socket-path.ts";
import { type ProgramWords, serveBanner } from "./serve-banner.ts";

interface ServeArguments {
  readonly config: string | undefined;
  readonly "state-dir": string | undefined;
  readonly portal: string[] | undefined;
  readonly "log-level": LogLevel | undefined;
  readonly "ready-file": string | undefined;
  readonly "ready-fd": number | undefined;
  readonly "tgt-port": number | undefined;
}

/** Standard streams are not for announcements; a descriptor beyond these was opened by who started the daemon. */
const READY_FD_MIN = 3;

/** tgt has a short for it. */
const TGT_PORT_MAX = 0x7fff;

function daemonOptions(args: ServeArguments): DaemonOptions {
  const { "tgt-port": tgtPort } = args;
  return {
    configFile: args.config ?? null,
    stateDir: args["state-dir"] ?? null,
    portals: args.portal ?? [],
    logLevel: args["log-level"] ?? null,
    ready: { file: args["ready-file"] ?? null, fd: args["ready-fd"] ?? null },
    terminal: process.stdout.isTTY,
    ...(tgtPort === undefined ? {} : { tgtSocket: tgtSocketPath(process.env, tgtPort) }),
  };
}

/** How commands for this daemon are typed where it was started: from npm's scripts the program is not in the search path. */
function programOf({ "state-dir": stateDir }: ServeArguments): ProgramWords {
  return {
    program: process.env["npm_lifecycle_event"] === undefined ? "thinlun" : "npx thinlun",
    options: stateDir === undefined ? "" : ` --state-dir ${stateDir}`,
  };
}

async function run(args: ServeArguments): Promise<void> {
  // Whoever read the output may go; the disks stay.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  // Loaded here, so that other commands do not pay for the daemon.
  const { runDaemon } = await import("../daemon.ts");
  const ending = await runDaemon(daemonOptions(args), (running) => {
    // For people. A log that a machine reads must not have it in between.
    if (process.stdout.isTTY) process.stdout.write(serveBanner(running, programOf(args)));
    else if (running.demo !== null) process.stderr.write(serveBanner(running, programOf(args)));
  });
  process.exitCode = ending === "stopped" ? ExitCode.success : ExitCode.failed;
}

/** `thinlun serve`: the daemon, in the foreground. */
export const serveCommand: CommandModule<object, ServeArguments> = {
  command: "serve",
  describe: "Run the iSCSI target; without a configuration, with a demonstration disk",
  builder: (yargs) =>
    yargs
      .option("config", {
        alias: "c",
        type: "string",
        requiresArg: true,
        describe: "Configuration in YAML (docs/configuration.md)",
      })
      .option("state-dir", {
        type: "string",
        requiresArg: true,
        describe:
          "Folder for what has to survive a restart (/var/lib/thinlun for root, otherwise ~/.local/state/thinlun)",
      })
      .option("portal", {
        alias: "p",
        type: "string",
        array: true,
        requiresArg: true,
        describe: "ADDR[:PORT] to listen on, instead of the configured ones; port 0 for any free",
      })
      .option("log-level", { choices: LOG_LEVELS, describe: "How much to log" })
      .option("ready-file", {
        type: "string",
        requiresArg: true,
        describe: "File to write once logins are accepted: JSON with the portals",
      })
      .option("ready-fd", {
        type: "number",
        requiresArg: true,
        describe: "The same, written to an inherited descriptor",
      })
      .option("tgt-port", {
        type: "number",
        requiresArg: true,
        describe: "Stand for tgt's daemon, too: tgtadm and tgt-admin find it on this control port",
      })
      .check(({ "tgt-port": port }) => {
        if (port === undefined) return true;
        if (Number.isInteger(port) && port >= 0 && port <= TGT_PORT_MAX) return true;
        throw new Error(`--tgt-port must be a number from 0 to ${TGT_PORT_MAX}`);
      })
      .check(({ "ready-fd": fd }) => {
        if (fd === undefined || (Number.isInteger(fd) && fd >= READY_FD_MIN)) return true;
        throw new Error(`--ready-fd must be a descriptor from ${READY_FD_MIN} on`);
      })
      .example("$0 serve", "A thin disk of 8 GiB on 127.0.0.1:3260, kept in the state folder")
      .example("$0 serve --portal 0.0.0.0:3260", "The same, for everybody who can reach this host")
      .example("$0 serve --config /etc/thinlun.yaml", "Your own disks, targets and accounts"),
  handler: run,
};
