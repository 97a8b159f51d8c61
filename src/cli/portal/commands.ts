import type { CommandModule } from "yargs";
import type { PortalReport } from "../../control/protocol.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import { formatTable } from "../table.ts";

/** Portals, a line each. */
export function portalTable(portals: readonly PortalReport[]): string {
  if (portals.length === 0) return "There are none: nobody can connect.\n";
  return formatTable(
    [
      { heading: "PORTAL" },
      { heading: "LISTENS ON" },
      { heading: "GROUP", isNumber: true },
      { heading: "TOLD AS" },
      { heading: "FROM" },
    ],
    portals.map(({ listen, address, group, advertise, origin }) => [
      listen,
      address ?? "nothing: see the log",
      String(group),
      advertise ?? "",
      origin,
    ]),
  );
}

/** `thinlun portal list`. */
export const listCommand: CommandModule<object, DaemonOptions> = {
  command: "list",
  describe: "List portals",
  builder: (yargs) => yargs.options(DAEMON_OPTIONS).example("$0 portal list", ""),
  handler: async (args) => {
    const portals = await withDaemon(args, (daemon) => daemon.call("portal/list", {}));
    print(portals, args.json, () => portalTable(portals));
  },
};

interface PortalArguments extends DaemonOptions {
  readonly listen: string;
}

interface CreateArguments extends PortalArguments {
  readonly group: number | undefined;
  readonly advertise: string | undefined;
}

const LISTEN = {
  type: "string",
  demandOption: true,
  describe: "ADDRESS[:PORT]; an IPv6 address in brackets",
} as const;

/** `thinlun portal create`. */
export const createCommand: CommandModule<object, CreateArguments> = {
  command: "create <listen>",
  describe: "Listen on one more address",
  builder: (yargs) =>
    yargs
      .positional("listen", LISTEN)
      .option("group", {
        type: "number",
        requiresArg: true,
        describe: "The portal group that it is in (1)",
      })
      .option("advertise", {
        type: "string",
        requiresArg: true,
        describe: "What discovery tells in its place, ADDRESS[:PORT] (NAT)",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 portal create 192.0.2.7", "Port 3260")
      .example("$0 portal create [2001:db8::7]:3261 --group 2", ""),
  handler: async (args) => {
    const { listen, group, advertise } = args;
    const body = {
      listen,
      ...(group === undefined ? {} : { group }),
      ...(advertise === undefined ? {} : { advertise }),
    };
    const portal = await withDaemon(args, (daemon) => daemon.call("portal/create", body));
    print(portal, args.json, () => `Listening on ${portal.address ?? portal.listen}.\n`);
  },
};

/** `thinlun portal delete`. */
export const deleteCommand: CommandModule<object, PortalArguments> = {
  command: "delete <listen>",
  describe: "Listen on an address no more; sessions that came through it stay",
  builder: (yargs) =>
    yargs
      .positional("listen", { ...LISTEN, describe: "ADDRESS[:PORT], as it was given" })
      .options(DAEMON_OPTIONS)
      .example("$0 portal delete 192.0.2.7", ""),
  handler: async (args) => {
    const { listen } = args;
    await withDaemon(args, (daemon) => daemon.call("portal/delete", { listen }));
    print({}, args.json, () => `Portal ${listen} is closed.\n`);
  },
};
