import { EarlierError } from "./earlier.ts";
import { HELP, listText, parseOptions, UsageError } from "./options.ts";
import { runTargetBench } from "./targets.ts";

/**
 * npm run bench -- [options]: thinlun beside every other target that is installed, over loopback, each on the same kind of file, the load
 * from a process of its own. They take turns, so that what the machine does otherwise meets all of them.
 * npm run bench -- engine [options]: thin volumes, see engine/run.ts
 * npm run bench -- micro [NAME...]: single parts, see micro/run.ts
 * npm run bench -- report RESULT.json --html FILE: the report of a run that was written down, see report/run.ts
 */
async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "engine") {
    await (await import("./engine/run.ts")).runEngineBench();
    return 0;
  }
  if (args[0] === "micro") {
    await (await import("./micro/run.ts")).runMicroBench(args.slice(1));
    return 0;
  }
  if (args[0] === "report") return (await import("./report/run.ts")).runReport(args.slice(1));
  const options = parseOptions(args);
  if (typeof options !== "string") return runTargetBench(options);
  process.stdout.write(options === "help" ? HELP : listText());
  return 0;
}

const USAGE_STATUS = 2;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof EarlierError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = USAGE_STATUS;
}
