import type { CommandModule } from "yargs";
import { addCommand, removeCommand } from "./pool/membership.ts";
import { checkCommand } from "./pool/check.ts";
import { createCommand } from "./pool/create.ts";
import { deleteCommand } from "./pool/delete.ts";
import { dumpCommand } from "./pool/dump.ts";
import { extendCommand } from "./pool/extend.ts";
import { listCommand } from "./pool/list.ts";
import { repairCommand } from "./pool/repair.ts";
import { setCommand } from "./pool/set.ts";
import { showCommand } from "./pool/show.ts";

/** `thinlun pool`. */
export const poolCommand: CommandModule = {
  command: "pool",
  describe: "Pools of thin volumes: make, look at, extend, check and save them",
  builder: (yargs) =>
    yargs
      .command(createCommand)
      .command(addCommand)
      .command(removeCommand)
      .command(listCommand)
      .command(showCommand)
      .command(extendCommand)
      .command(setCommand)
      .command(checkCommand)
      .command(dumpCommand)
      .command(repairCommand)
      .command(deleteCommand)
      .demandCommand(1, "Say what to do with a pool; thinlun pool --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
