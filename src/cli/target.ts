import type { CommandModule } from "yargs";
import { allowCommand, denyCommand } from "./target/access.ts";
import { authCommand } from "./target/auth.ts";
import { createCommand, deleteCommand, setCommand } from "./target/change.ts";
import { listCommand, lunsCommand, showCommand } from "./target/look.ts";
import { mapCommand, unmapCommand } from "./target/luns.ts";
import { setLunCommand } from "./target/set-lun.ts";

/** `thinlun target`. */
export const targetCommand: CommandModule = {
  command: "target",
  describe: "Targets: make them, map volumes to LUNs, say who is let in",
  builder: (yargs) =>
    yargs
      .command(createCommand)
      .command(listCommand)
      .command(showCommand)
      .command(lunsCommand)
      .command(mapCommand)
      .command(setLunCommand)
      .command(unmapCommand)
      .command(allowCommand)
      .command(denyCommand)
      .command(authCommand)
      .command(setCommand)
      .command(deleteCommand)
      .demandCommand(1, "Say what to do with a target; thinlun target --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
