import type { CommandModule } from "yargs";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, type AccessOptions, JSON_OPTION, withOperations } from "../pool-access.ts";
import { parseFactor, parseThresholds } from "../pool-options.ts";

interface SetArguments extends AccessOptions {
  readonly pool: string;
  readonly overcommit: string | undefined;
  readonly thresholds: string | undefined;
  readonly json: boolean;
}

async function run({ pool, overcommit, thresholds, json, ...access }: SetArguments): Promise<void> {
  const changes = {
    ...(overcommit === undefined ? {} : { overcommitMax: parseFactor(overcommit) }),
    ...(thresholds === undefined ? {} : { thresholds: parseThresholds(thresholds) }),
  };
  const set = await withOperations(access, (operations) =>
    operations.call("pool/set", { pool, ...changes }),
  );
  print(set, json, () => `Pool ${set.name} is changed.\n`);
}

/** `thinlun pool set`: what is kept in the pool. */
export const setCommand: CommandModule<object, SetArguments> = {
  command: "set <pool>",
  describe: "Change a pool's limit of overcommitment and its warnings",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", demandOption: true, describe: "Name or UUID" })
      .option("overcommit", {
        type: "string",
        requiresArg: true,
        describe: "Volumes may be so many times as large as the pool in all; 0: no limit",
      })
      .option("thresholds", {
        type: "string",
        requiresArg: true,
        describe: "Warn when so much is in use, in percent, such as 80,95",
      })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 pool set tank --overcommit 4 --thresholds 70,90", ""),
  handler: run,
};
