#!/usr/bin/env node
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { accountCommand } from "./account.ts";
import { applyCommand } from "./apply.ts";
import { completionCommand } from "./completion.ts";
import { discoverCommand } from "./discover.ts";
import { doctorCommand } from "./doctor.ts";
import { exitCodeOf, ExitCode, UsageError } from "./exit-code.ts";
import { importTgtCommand } from "./import-tgt.ts";
import { jobCommand } from "./job.ts";
import { metricsCommand } from "./metrics.ts";
import { say } from "./output.ts";
import { poolCommand } from "./pool.ts";
import { portalCommand } from "./portal.ts";
import { serveCommand } from "./serve.ts";
import { sessionCommand } from "./session.ts";
import { snapshotCommand } from "./snapshot.ts";
import { statusCommand } from "./status.ts";
import { targetCommand } from "./target.ts";
import { topCommand } from "./top.ts";
import { verifyCommand } from "./verify.ts";
import { volumeCommand } from "./volume.ts";

/** Options that may be given several times, with the names that yargs has for the same thing. */
const REPEATABLE = new Set([
  "portal",
  "p",
  "device",
  "wipe",
  "to",
  "volumes",
  "address",
  "initiator",
  "parameter",
  "portal-group",
  "portalGroup",
  "_",
]);

/** Which of two values is meant is not for a program to guess, nor which number by what is none. */
function refuseUnclear(args: Readonly<Record<string, unknown>>): true {
  for (const [name, value] of Object.entries(args)) {
    if (Number.isNaN(value)) throw new UsageError(`${name} takes a number`);
    if (!Array.isArray(value) || REPEATABLE.has(name)) continue;
    throw new UsageError(`--${name} is given more than once`);
  }
  return true;
}

/** Runs one command line. Rejects with what went wrong; exit-code.ts knows what that means. */
async function main(args: readonly string[]): Promise<void> {
  await yargs(args)
    .scriptName("thinlun")
    .usage("$0 COMMAND\n\nAn iSCSI target with thin volumes, and the tools around it.")
    .command(serveCommand)
    .command(statusCommand)
    .command(topCommand)
    .command(metricsCommand)
    .command(applyCommand)
    .command(poolCommand)
    .command(volumeCommand)
    .command(snapshotCommand)
    .command(targetCommand)
    .command(sessionCommand)
    .command(jobCommand)
    .command(portalCommand)
    .command(accountCommand)
    .command(discoverCommand)
    .command(verifyCommand)
    .command(doctorCommand)
    .command(importTgtCommand)
    .command(completionCommand)
    .demandCommand(1, "Say what to do; the commands are listed by --help")
    .strict()
    .recommendCommands()
    .parserConfiguration({ "greedy-arrays": false, "duplicate-arguments-array": true })
    .wrap(Math.min(process.stdout.columns ?? 100, 100))
    .epilogue("Exit status: 0 success, 1 failed, 2 the command line is wrong.")
    .help()
    .alias("help", "h")
    .check(refuseUnclear)
    .fail((message: string | null, error: Error | undefined) => {
      // A message without an error, or one about the arguments: yargs gives the errors of commands without one.
      throw message === null && error !== undefined ? error : new UsageError(message ?? "");
    })
    .exitProcess(false)
    .parseAsync();
}

try {
  await main(hideBin(process.argv));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const code = exitCodeOf(error);
  const hint = code === ExitCode.usage ? "\nthinlun --help lists the commands and options." : "";
  say(`thinlun: ${message}${hint}`);
  process.exitCode = code;
}
