import type { CommandModule } from "yargs";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import { lunTable, targetTable, targetText } from "../target-text.ts";

/** What all commands on one target have. */
export interface TargetArguments extends DaemonOptions {
  readonly target: string;
}

/** How a target is named on the command line. */
export const TARGET_POSITIONAL = {
  type: "string",
  demandOption: true,
  describe: "The target's iSCSI name",
} as const;

/** `thinlun target list`. */
export const listCommand: CommandModule<object, DaemonOptions> = {
  command: "list",
  describe: "List targets",
  builder: (yargs) => yargs.options(DAEMON_OPTIONS).example("$0 target list", ""),
  handler: async (args) => {
    const targets = await withDaemon(args, (daemon) => daemon.call("target/list", {}));
    print(targets, args.json, () => targetTable(targets));
  },
};

/** `thinlun target show`. */
export const showCommand: CommandModule<object, TargetArguments> = {
  command: "show <target>",
  describe: "Show a target: its LUNs, who is let in, what it offers",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .options(DAEMON_OPTIONS)
      .example("$0 target show iqn.2026-11.net.example:disk", ""),
  handler: async (args) => {
    const { target, json } = args;
    const shown = await withDaemon(args, (daemon) => daemon.call("target/show", { target }));
    print(shown, json, () => targetText(shown));
  },
};

interface LunsArguments extends DaemonOptions {
  readonly target: string | undefined;
}

/** `thinlun target luns`. */
export const lunsCommand: CommandModule<object, LunsArguments> = {
  command: "luns [target]",
  describe: "List LUNs, of one target or of all",
  builder: (yargs) =>
    yargs
      .positional("target", { type: "string", describe: "Only those of this target" })
      .options(DAEMON_OPTIONS)
      .example("$0 target luns", "Which volume is which disk"),
  handler: async (args) => {
    const { target, json } = args;
    const body = target === undefined ? {} : { target };
    const luns = await withDaemon(args, (daemon) => daemon.call("lun/list", body));
    print(luns, json, () => lunTable(luns));
  },
};
