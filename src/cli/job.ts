import type { CommandModule } from "yargs";
import { cancelCommand, listCommand, showCommand } from "./job/commands.ts";

/** `thinlun job`. */
export const jobCommand: CommandModule = {
  command: "job",
  describe: "Jobs: what the daemon does for long; look at them, stop them",
  builder: (yargs) =>
    yargs
      .command(listCommand)
      .command(showCommand)
      .command(cancelCommand)
      .demandCommand(1, "Say what to do with jobs; thinlun job --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
