import { resolve } from "node:path";
import type { CommandModule } from "yargs";
import type { CreatedPool, CreatePoolOptions } from "../../offline.ts";
import { formatSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { daemonAnswers, withDaemon } from "../daemon-access.ts";
import { withLongWork } from "../long-work.ts";
import { print } from "../output.ts";
import { JSON_OPTION, STATE_OPTION } from "../pool-access.ts";
import {
  destroyed,
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
  readonly offline: boolean;
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
  if (wipes(args)) await confirm(destroyed(args, devices), name, args.yes);
  const isOnline = !args.offline && (await daemonAnswers(args));
  const made = await (isOnline ? createOnline(args, options) : createOffline(options));
  print(made, args.json, () => {
    const backups = made.backups.map((path) => `What was there is kept: ${path}\n`).join("");
    const next = isOnline
      ? "The daemon has it; volumes are made by thinlun volume create.\n"
      : `To serve it, give it to a daemon (thinlun pool add), or put this into its configuration:\n\n` +
        `pools:\n  ${made.name}: { devices: ${JSON.stringify(made.devices)} }\n`;
    return (
      `Pool ${made.name} (${made.uuid}) is made, in extents of ${formatSize(made.extentBytes)}.\n` +
      `${backups}${next}`
    );
  });
}

async function createOffline(options: CreatePoolOptions): Promise<CreatedPool> {
  const { createPool } = await import("../../offline.ts");
  return createPool(options);
}

async function createOnline(
  args: CreateArguments,
  options: CreatePoolOptions,
): Promise<CreatedPool> {
  const { name, sizeBytes, extentBytes, overcommitMax, wipe, acceptData } = options;
  // The daemon was started in another folder.
  const devices = options.devices.map((path) => resolve(path));
  const body = {
    pool: name,
    devices,
    overcommitMax,
    wipe,
    acceptData,
    ...(sizeBytes === null ? {} : { createBytes: sizeBytes }),
    ...(extentBytes === null ? {} : { extentBytes }),
  };
  const { pool, backups } = await withLongWork((options) =>
    withDaemon(args, (daemon) => daemon.call("pool/create", body, options)),
  );
  return { name, uuid: pool.uuid, devices, extentBytes: pool.extentBytes, backups };
}

/** `thinlun pool create`: for the daemon, where one answers; otherwise for one that is told of it later. */
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
      .option("offline", {
        type: "boolean",
        default: false,
        describe: "Without the daemon, even where one answers",
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
