import type { CommandModule } from "yargs";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, type AccessOptions, JSON_OPTION, withOperations } from "../pool-access.ts";
import { volumeTable } from "../volume-table.ts";

interface ListArguments extends AccessOptions {
  readonly pool: string | undefined;
  readonly json: boolean;
}

async function run({ pool, json, ...access }: ListArguments): Promise<void> {
  const volumes = await withOperations(access, (operations) =>
    operations.call("volume/list", pool === undefined ? {} : { pool }),
  );
  print(volumes, json, () => volumeTable(volumes));
}

/** `thinlun volume list`: with snapshots, which are volumes. */
export const listCommand: CommandModule<object, ListArguments> = {
  command: "list [pool]",
  describe: "List volumes and snapshots",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", describe: "Only those of this pool" })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION),
  handler: run,
};
