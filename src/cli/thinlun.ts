#!/usr/bin/env node
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { discoverCommand } from "./discover.ts";
import { exitCodeOf, ExitCode } from "./exit-code.ts";
import { serveCommand } from "./serve.ts";
import { verifyCommand } from "./verify.ts";

/** Runs one command line. Rejects with what went wrong; exit-code.ts knows what that means. */
async function main(args: readonly string[]): Promise<void> {
  await yargs(args)
    .scriptName("thinlun")
    .usage("$0 COMMAND\n\nAn iSCSI target with thin volumes, and the tools around it.")
    .command(serveCommand)
    .command(discoverCommand)
    .command(verifyCommand)
    .demandCommand(1, "Say what to do; the commands are listed by --help")
    .strict()
    .recommendCommands()
    .parserConfiguration({ "greedy-arrays": false, "duplicate-arguments-array": true })
    .wrap(Math.min(process.stdout.columns ?? 100, 100))
    .epilogue("Exit status: 0 success, 1 failed, 2 the command line is wrong.")
    .help()
    .alias("help", "h")
    .fail(false)
    .exitProcess(false)
    .parseAsync();
}

try {
  await main(hideBin(process.argv));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const code = exitCodeOf(error);
  const hint = code === ExitCode.usage ? "\nthinlun --help lists the commands and options." : "";
  process.stderr.write(`thinlun: ${message}${hint}\n`);
  process.exitCode = code;
}
