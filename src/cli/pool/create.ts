import type { CommandModule } from "yargs";
import { formatSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { print } from "../output.ts";
import { JSON_OPTION, STATE_OPTION } from "../pool-access.ts";
import {
  optionalSize,
  overwriteOptionsOf,
  parseFactor,
  WIPE_OPTIONS,
  type WipeOptions,
  wipes,
} from "../pool-options.ts";

interface CreateArguments extends WipeOptions {
  readonly pool: string;
  readonly device: string[];
  readonly size: string | undefined;
  readonly "extent-size": string | undefined;
  readonly overcommit: string;
  readonly yes: boolean;
  readonly json: boolean;
}

async function run(args: CreateArguments): Promise<void> {
  const { pool: name, device: devices } = args;
  const options = {
    ...overwriteOptionsOf(args),
    name,
    devices,
    sizeBytes: optionalSize(args.size) ?? null,
    extentBytes: optionalSize(args["extent-size"]) ?? null,
    overcommitMax: parseFactor(args.overcommit),
  };
  if (wipes(args)) {
    const named = [...(args.wipe ?? []), ...(options.acceptData ? ["unknown data"] : [])];
    const what = `${named.join(", ")} on ${devices.join(", ")} will be destroyed`;
    await confirm(what, name, args.yes);
  }
  const { createPool } = await import("../../offline.ts");
  const made = await createPool(options);
  print(made, args.json, () => {
    const backups = made.backups.map((path) => `What was there is kept: ${path}\n`).join("");
    return (
      `Pool ${made.name} (${made.uuid}) is made, in extents of ${formatSize(made.extentBytes)}.\n${backups}` +
      `To serve it, put this into the daemon's configuration:\n\n` +
      `pools:\n  ${made.name}: { devices: ${JSON.stringify(made.devices)} }\n`
    );
  });
}

/** `thinlun pool create`: without a daemon, which is told of the pool by its configuration. */
export const createCommand: CommandModule<object, CreateArguments> = {
  command: "create <pool>",
  describe: "Make a pool on devices or image files",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", demandOption: true, describe: "Its name" })
      .options(STATE_OPTION)
      .option("device", {
        type: "string",
        array: true,
        requiresArg: true,
        demandOption: true,
        describe: "A block device, or an image file; give each of them",
      })
      .option("size", {
        type: "string",
        requiresArg: true,
        describe:
          "Make image files of this size where there are none; they take space as it is used",
      })
      .option("extent-size", {
        type: "string",
        requiresArg: true,
        describe: "The unit of allocation, 16KiB to 1MiB (64KiB); small for many snapshots",
      })
      .option("overcommit", {
        type: "string",
        requiresArg: true,
        default: "0",
        describe: "Volumes may be so many times as large as the pool in all; 0: no limit",
      })
      .options(WIPE_OPTIONS)
      .options(YES_OPTION)
      .options(JSON_OPTION)
      .example("$0 pool create tank --device /srv/tank.img --size 100GiB", "On a sparse image file")
      .example("$0 pool create tank --device /dev/sdb --device /dev/sdc", "On two disks")
      .example(
        "$0 pool create tank --device /dev/sdb --wipe ext4:8b1c...",
        "Destroy the file system of this UUID for it, after a backup of its ends",
      ),
  handler: run,
};
