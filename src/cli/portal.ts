import type { CommandModule } from "yargs";
import { createCommand, deleteCommand, listCommand } from "./portal/commands.ts";

/** `thinlun portal`. */
export const portalCommand: CommandModule = {
  command: "portal",
  describe: "Portals: the addresses that initiators connect to",
  builder: (yargs) =>
    yargs
      .command(listCommand)
      .command(createCommand)
      .command(deleteCommand)
      .demandCommand(1, "Say what to do with portals; thinlun portal --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
