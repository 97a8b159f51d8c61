import type { CommandModule } from "yargs";
import { createCommand, deleteCommand, listCommand, setCommand } from "./account/commands.ts";

/** `thinlun account`. */
export const accountCommand: CommandModule = {
  command: "account",
  describe: "Accounts: CHAP users that targets can be given",
  builder: (yargs) =>
    yargs
      .command(createCommand)
      .command(listCommand)
      .command(setCommand)
      .command(deleteCommand)
      .demandCommand(1, "Say what to do with accounts; thinlun account --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
