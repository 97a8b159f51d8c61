import type { CommandModule } from "yargs";
import { OperationError, stateFolder } from "../../control/protocol.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { print } from "../output.ts";
import { DEVICE_OPTION, JSON_OPTION, STATE_OPTION } from "../pool-access.ts";

interface DeleteArguments {
  readonly "state-dir": string | undefined;
  readonly device: string[];
  readonly wipe: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
}

async function run(args: DeleteArguments): Promise<void> {
  const { deletePool, scanPools } = await import("../../offline.ts");
  const { pools } = await scanPools(args.device);
  const [pool] = pools;
  if (pool === undefined) {
    throw new OperationError("missing", `there is no pool on ${args.device.join(", ")}`);
  }
  const name = `thinlun:${pool.uuid}`;
  if (args.wipe === undefined) {
    const what = `Pool "${pool.name}" (${pool.uuid}) and all its volumes will be lost`;
    await confirm(what, pool.name, args.yes);
  }
  const deleted = await deletePool(args.device, {
    stateDir: stateFolder(args["state-dir"] ?? null),
    wipe: [args.wipe ?? name],
    acceptData: false,
  });
  print(deleted, args.json, () => {
    const backups = deleted.backups.map((path) => `  ${path}\n`).join("");
    return `Pool ${pool.name} is deleted. Its superblocks are kept, and can be put back:\n${backups}`;
  });
}

/** `thinlun pool delete`: takes the superblocks away, nothing else. */
export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: "delete",
  describe: "Delete a pool that nobody has open",
  builder: (yargs) =>
    yargs
      .options(STATE_OPTION)
      .option("device", { ...DEVICE_OPTION.device, demandOption: true })
      .option("wipe", {
        type: "string",
        requiresArg: true,
        describe: "thinlun:UUID of the pool, instead of being asked",
      })
      .options(YES_OPTION)
      .options(JSON_OPTION)
      .example("$0 pool delete --device /srv/tank.img", "Asks for the pool's name"),
  handler: run,
};
