import type { CommandModule } from "yargs";
import type { ArgumentsOf } from "../../control/protocol.ts";
import { formatSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { UsageError } from "../exit-code.ts";
import { withLongWork } from "../long-work.ts";
import { print } from "../output.ts";
import {
  ACCESS_OPTIONS,
  type AccessOptions,
  devicesOf,
  JSON_OPTION,
  withOperations,
} from "../pool-access.ts";
import { destroyed, optionalSize, WIPE_OPTIONS, type WipeOptions, wipes } from "../pool-options.ts";

interface ExtendArguments extends AccessOptions, WipeOptions {
  readonly "state-dir": string | undefined;
  readonly pool: string;
  readonly add: string | undefined;
  readonly grow: string | undefined;
  readonly size: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
}

function requestOf(args: ExtendArguments): ArgumentsOf<"pool/extend"> {
  const { pool, add, grow } = args;
  const sizeBytes = optionalSize(args.size);
  if ((add === undefined) === (grow === undefined)) {
    throw new UsageError("give --add DEVICE for a new device, or --grow DEVICE for a larger one");
  }
  if (grow !== undefined) {
    return { pool, grow, ...(sizeBytes === undefined ? {} : { growBytes: sizeBytes }) };
  }
  return {
    pool,
    ...(add === undefined ? {} : { add }),
    ...(sizeBytes === undefined ? {} : { createBytes: sizeBytes }),
    wipe: args.wipe ?? [],
    acceptData: args["i-know-this-is-not-empty"],
  };
}

async function run(args: ExtendArguments): Promise<void> {
  const request = requestOf(args);
  if (args.add !== undefined && wipes(args)) {
    await confirm(destroyed(args, [args.add]), args.pool, args.yes);
  }
  const reply = await withLongWork((options) =>
    withOperations(args, (operations) => operations.call("pool/extend", request, options)),
  );
  print(reply, args.json, () => {
    const { name, space } = reply.pool;
    const kept = reply.backup === null ? "" : `What was there is kept: ${reply.backup}\n`;
    const note =
      args.add === undefined || devicesOf(args).length > 0
        ? ""
        : `Add ${args.add} to the devices of ${name} in the daemon's configuration: it cannot open the pool without.\n`;
    return `Pool ${name} has ${formatSize(space.capacityBytes)} now.\n${kept}${note}`;
  });
}

/** `thinlun pool extend`, also while it is served. */
export const extendCommand: CommandModule<object, ExtendArguments> = {
  command: "extend <pool>",
  describe: "Give a pool more space, also while it is served",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", demandOption: true, describe: "Name or UUID" })
      .option("add", { type: "string", requiresArg: true, describe: "A device to add" })
      .option("grow", {
        type: "string",
        requiresArg: true,
        describe: "A device of the pool that has become larger, or an image file to make so",
      })
      .option("size", {
        type: "string",
        requiresArg: true,
        describe: "Of the image file that is made, or to which one grows",
      })
      .options(WIPE_OPTIONS)
      .options(ACCESS_OPTIONS)
      .options(YES_OPTION)
      .options(JSON_OPTION)
      .example("$0 pool extend tank --add /dev/sdd", "A disk more")
      .example("$0 pool extend tank --grow /srv/tank.img --size 200GiB", "A larger image file"),
  handler: run,
};
