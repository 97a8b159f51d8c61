import type { CommandModule } from "yargs";
import {
  createCommand,
  deleteCommand,
  renameCommand,
  resizeCommand,
  setCommand,
  showCommand,
} from "./volume/change.ts";
import { exportCommand } from "./volume/export.ts";
import { importCommand } from "./volume/import.ts";
import { listCommand } from "./volume/list.ts";

/** `thinlun volume`. */
export const volumeCommand: CommandModule = {
  command: "volume",
  describe: "Volumes: make, resize, rename, import and export them",
  builder: (yargs) =>
    yargs
      .command(createCommand)
      .command(listCommand)
      .command(showCommand)
      .command(resizeCommand)
      .command(renameCommand)
      .command(setCommand)
      .command(deleteCommand)
      .command(importCommand)
      .command(exportCommand)
      .demandCommand(1, "Say what to do with a volume; thinlun volume --help lists the commands")
      .recommendCommands(),
  handler: () => undefined,
};
