import type { CommandModule } from "yargs";
import { print, printText } from "../output.ts";
import { DEVICE_OPTION, JSON_OPTION } from "../pool-access.ts";

interface DumpArguments {
  readonly device: string[];
  readonly maps: boolean;
  readonly volume: string | undefined;
  readonly journal: boolean;
  readonly json: boolean;
}

async function run(args: DumpArguments): Promise<void> {
  const { dumpDevices } = await import("../../offline.ts");
  const maps = args.volume === undefined ? args.maps : [args.volume];
  const { dump, lines } = await dumpDevices(args.device, { maps, journal: args.journal });
  if (args.json) print(dump, true, () => "");
  else for (const line of lines) printText(`${line}\n`);
}

/** `thinlun pool dump`: what lies on the devices, in the terms of FORMAT.md. */
export const dumpCommand: CommandModule<object, DumpArguments> = {
  command: "dump",
  describe: "Print what lies on a pool's devices (FORMAT.md)",
  builder: (yargs) =>
    yargs
      .option("device", { ...DEVICE_OPTION.device, demandOption: true })
      .option("maps", { type: "boolean", default: false, describe: "Also what each volume maps" })
      .option("volume", { type: "string", requiresArg: true, describe: "Only this volume's map" })
      .option("journal", {
        type: "boolean",
        default: false,
        describe: "Also the journal behind the checkpoint",
      })
      .options(JSON_OPTION)
      .example("$0 pool dump --device /srv/tank.img --journal", ""),
  handler: run,
};
