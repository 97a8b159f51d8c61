import type { CommandModule } from "yargs";
import { listCommand, logoutCommand } from "./session/commands.ts";

/** `thinlun session`. */
export const sessionCommand: CommandModule = {
  command: "session",
  describe: "Sessions: who is logged in, and to end them",
  builder: (yargs) =>
    yargs
      .command(listCommand)
      .command(logoutCommand)
      .demandCommand(1, "Say what to do with sessions; thinlun session --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
