import { resolve } from "node:path";
import type { CommandModule } from "yargs";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { withLongWork } from "../long-work.ts";
import { print } from "../output.ts";

interface PoolArguments extends DaemonOptions {
  readonly pool: string;
}

interface AddArguments extends PoolArguments {
  readonly device: string[];
  readonly direct: boolean;
  readonly shared: boolean;
}

const POOL = { type: "string", demandOption: true, describe: "Its name" } as const;

/** `thinlun pool add`. */
export const addCommand: CommandModule<object, AddArguments> = {
  command: "add <pool>",
  describe: "Give the daemon a pool that is there already",
  builder: (yargs) =>
    yargs
      .positional("pool", POOL)
      .option("device", {
        type: "string",
        array: true,
        requiresArg: true,
        demandOption: true,
        describe: "A device or image of it; give each of them",
      })
      .option("direct", { type: "boolean", default: false, describe: "Past the page cache" })
      .option("shared", {
        type: "boolean",
        default: false,
        describe: "Other hosts may reach its devices",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 pool add tank --device /srv/tank.img", "See thinlun pool list --device"),
  handler: async (args) => {
    const { pool, direct, shared, json } = args;
    const devices = args.device.map((path) => resolve(path));
    const body = { pool, devices, direct, shared };
    const added = await withLongWork((options) =>
      withDaemon(args, (daemon) => daemon.call("pool/add", body, options)),
    );
    print(added, json, () => `Pool ${added.name} (${added.uuid}) is the daemon's.\n`);
  },
};

/** `thinlun pool remove`. */
export const removeCommand: CommandModule<object, PoolArguments> = {
  command: "remove <pool>",
  describe: "Have the daemon let go of a pool; nothing of it is lost",
  builder: (yargs) =>
    yargs
      .positional("pool", POOL)
      .options(DAEMON_OPTIONS)
      .example("$0 pool remove tank", "To move its devices to another host"),
  handler: async (args) => {
    const { pool } = args;
    await withDaemon(args, (daemon) => daemon.call("pool/remove", { pool }));
    print({}, args.json, () => `The daemon has let go of pool ${pool}.\n`);
  },
};
