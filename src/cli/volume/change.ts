import type { CommandModule } from "yargs";
import type { VolumeReport } from "../../control/protocol.ts";
import { formatSize, parseSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { UsageError } from "../exit-code.ts";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, type AccessOptions, JSON_OPTION, withOperations } from "../pool-access.ts";
import { optionalSize } from "../pool-options.ts";
import { parseVolumePath } from "../volume-path.ts";
import { volumeText } from "../volume-table.ts";

/** What all commands on one volume have. */
export interface VolumeArguments extends AccessOptions {
  readonly volume: string;
  readonly json: boolean;
}

/** How a volume is named on the command line. */
export const VOLUME_POSITIONAL = {
  type: "string",
  demandOption: true,
  describe: "POOL/VOLUME",
} as const;

const VOLUME_OPTIONS = { ...ACCESS_OPTIONS, ...JSON_OPTION } as const;

interface PromiseArguments extends VolumeArguments {
  readonly reserve: string | undefined;
  readonly quota: string | undefined;
}

const PROMISE_OPTIONS = {
  reserve: {
    type: "string",
    requiresArg: true,
    describe: "Space that is kept for it (none)",
  },
  quota: {
    type: "string",
    requiresArg: true,
    describe: "The most that it may take; 0 for no limit",
  },
} as const;

function promisesOf({ reserve, quota }: PromiseArguments): {
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
} {
  const [reservedBytes, quotaBytes] = [optionalSize(reserve), optionalSize(quota)];
  return {
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  };
}

function nameOf({ pool, name }: VolumeReport): string {
  return `${pool}/${name}`;
}

interface CreateArguments extends PromiseArguments {
  readonly size: string;
}

/** `thinlun volume create`. */
export const createCommand: CommandModule<object, CreateArguments> = {
  command: "create <volume>",
  describe: "Make a volume; it takes space as it is written",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .option("size", {
        type: "string",
        requiresArg: true,
        demandOption: true,
        describe: "Such as 10GiB",
      })
      .options(PROMISE_OPTIONS)
      .options(VOLUME_OPTIONS)
      .example("$0 volume create tank/disk1 --size 500GiB", "")
      .example("$0 volume create tank/disk2 --size 10GiB --reserve 10GiB", "With all its space"),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    const request = { ...path, sizeBytes: parseSize(args.size), ...promisesOf(args) };
    const made = await withOperations(args, (operations) =>
      operations.call("volume/create", request),
    );
    print(made, args.json, () => `Volume ${nameOf(made)} (${made.uuid}) is made.\n`);
  },
};

/** `thinlun volume show`. */
export const showCommand: CommandModule<object, VolumeArguments> = {
  command: "show <volume>",
  describe: "Show a volume or snapshot",
  builder: (yargs) => yargs.positional("volume", VOLUME_POSITIONAL).options(VOLUME_OPTIONS),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    const shown = await withOperations(args, (operations) => operations.call("volume/show", path));
    print(shown, args.json, () => volumeText(shown));
  },
};

interface ResizeArguments extends VolumeArguments {
  readonly size: string;
  readonly shrink: boolean;
  readonly yes: boolean;
}

/** `thinlun volume resize`, also while it is served. */
export const resizeCommand: CommandModule<object, ResizeArguments> = {
  command: "resize <volume> <size>",
  describe: "Make a volume larger or smaller, also while it is served",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .positional("size", { type: "string", demandOption: true, describe: "Such as 20GiB" })
      .option("shrink", {
        type: "boolean",
        default: false,
        describe: "Make it smaller: what lies past the new end is lost",
      })
      .options(YES_OPTION)
      .options(VOLUME_OPTIONS)
      .example("$0 volume resize tank/disk1 1TiB", "Then rescan at the initiator"),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    const { shrink } = args;
    if (shrink) {
      const what = `What ${args.volume} holds past ${args.size} will be lost`;
      await confirm(what, args.volume, args.yes);
    }
    const request = { ...path, sizeBytes: parseSize(args.size), shrink };
    const resized = await withOperations(args, (operations) =>
      operations.call("volume/resize", request),
    );
    const size = formatSize(resized.sizeBytes);
    print(resized, args.json, () => `Volume ${nameOf(resized)} has ${size} now.\n`);
  },
};

interface RenameArguments extends VolumeArguments {
  readonly name: string;
}

/** `thinlun volume rename`. */
export const renameCommand: CommandModule<object, RenameArguments> = {
  command: "rename <volume> <name>",
  describe: "Give a volume or snapshot another name, also while it is served",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .positional("name", { type: "string", demandOption: true, describe: "Without the pool" })
      .options(VOLUME_OPTIONS)
      .example("$0 volume rename tank/disk1 web", "tank/web, for whoever has it as a disk, too")
      .epilogue("LUNs lead to it still, and initiators know it by its UUID: they do not notice."),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    const request = { ...path, name: args.name };
    const renamed = await withOperations(args, (operations) =>
      operations.call("volume/rename", request),
    );
    print(renamed, args.json, () => `Volume ${args.volume} is called ${nameOf(renamed)} now.\n`);
  },
};

interface SetArguments extends PromiseArguments {
  readonly "read-only": boolean;
  readonly writable: boolean;
}

/** `thinlun volume set`. */
export const setCommand: CommandModule<object, SetArguments> = {
  command: "set <volume>",
  describe: "Change a volume's reservation, quota or write protection",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .options(PROMISE_OPTIONS)
      .option("read-only", { type: "boolean", default: false, describe: "Nobody writes to it" })
      .option("writable", { type: "boolean", default: false, describe: "It can be written" })
      .options(VOLUME_OPTIONS)
      .example("$0 volume set tank/disk1 --reserve 50GiB --quota 0", ""),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    if (args["read-only"] && args.writable) {
      throw new UsageError("a volume is read-only or writable, not both");
    }
    const changesAccess = args["read-only"] || args.writable;
    const access = changesAccess ? { readOnly: args["read-only"] } : {};
    const request = { ...path, ...promisesOf(args), ...access };
    const set = await withOperations(args, (operations) => operations.call("volume/set", request));
    print(set, args.json, () => volumeText(set));
  },
};

interface DeleteArguments extends VolumeArguments {
  readonly yes: boolean;
}

/** `thinlun volume delete`. */
export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: "delete <volume>",
  describe: "Delete a volume or snapshot that is not served",
  builder: (yargs) =>
    yargs
      .positional("volume", VOLUME_POSITIONAL)
      .options(YES_OPTION)
      .options(VOLUME_OPTIONS)
      .epilogue("Its snapshots and clones stay; no volume depends on another."),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    await withOperations(args, async (operations) => {
      const { sizeBytes } = await operations.call("volume/show", path);
      const what = `${args.volume} (${formatSize(sizeBytes)}) and what it holds will be lost`;
      await confirm(what, args.volume, args.yes);
      await operations.call("volume/delete", path);
    });
    print({}, args.json, () => `${args.volume} is deleted.\n`);
  },
};
