import type { CommandModule } from "yargs";
import {
  cloneCommand,
  createCommand,
  deleteCommand,
  diffCommand,
  listCommand,
  rollbackCommand,
} from "./snapshot/commands.ts";

/** `thinlun snapshot`. */
export const snapshotCommand: CommandModule = {
  command: "snapshot",
  describe: "Snapshots: take, list, roll back to, clone and compare them",
  builder: (yargs) =>
    yargs
      .command(createCommand)
      .command(listCommand)
      .command(deleteCommand)
      .command(rollbackCommand)
      .command(cloneCommand)
      .command(diffCommand)
      .demandCommand(
        1,
        "Say what to do with a snapshot; thinlun snapshot --help lists the commands",
      )
      .recommendCommands(),
  handler: () => undefined,
};
