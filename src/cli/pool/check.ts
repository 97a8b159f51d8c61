import type { CommandModule } from "yargs";
import { ExitCode, UsageError } from "../exit-code.ts";
import { withLongWork } from "../long-work.ts";
import { print } from "../output.ts";
import {
  ACCESS_OPTIONS,
  type AccessOptions,
  devicesOf,
  JSON_OPTION,
  withOperations,
} from "../pool-access.ts";
import { withProgressLine } from "../progress-line.ts";

interface CheckArguments extends AccessOptions {
  readonly pool: string | undefined;
  readonly json: boolean;
}

async function checkOffline(devices: readonly string[], args: CheckArguments): Promise<boolean> {
  const { checkDevices } = await import("../../offline.ts");
  const report = await withProgressLine((advance) => checkDevices(devices, advance));
  const { name, isSound, errors, warnings, findings, generation } = report;
  print(report, args.json, () => {
    const list = findings.map(({ severity, message }) => `${severity}: ${message}\n`).join("");
    const counts = `${errors} errors, ${warnings} warnings`;
    const verdict = isSound
      ? `is sound (checkpoint ${generation}; ${counts})`
      : `is damaged: ${counts}; see thinlun pool repair --help`;
    return `${list}Pool ${name} ${verdict}.\n`;
  });
  return isSound;
}

async function checkOnline(pool: string, args: CheckArguments): Promise<boolean> {
  const report = await withLongWork((options) =>
    withOperations(args, (operations) => operations.call("pool/check", { pool }, options)),
  );
  print(report, args.json, () => {
    const list = report.findings.map((finding) => `error: ${finding}\n`).join("");
    return `${list}Pool ${pool} ${report.isSound ? "is sound" : "does not agree with itself"}.\n`;
  });
  return report.isSound;
}

async function run(args: CheckArguments): Promise<void> {
  const devices = devicesOf(args);
  if (devices.length === 0 && args.pool === undefined) {
    throw new UsageError("name a pool of the daemon, or give a pool's devices with --device");
  }
  const isSound =
    devices.length > 0
      ? await checkOffline(devices, args)
      : await checkOnline(args.pool ?? "", args);
  if (!isSound) process.exitCode = ExitCode.failed;
}

/** `thinlun pool check`: writes nothing. */
export const checkCommand: CommandModule<object, CheckArguments> = {
  command: "check [pool]",
  describe: "Check a pool, in use or not; nothing is written",
  builder: (yargs) =>
    yargs
      .positional("pool", {
        type: "string",
        describe: "One of the daemon's: what it holds in memory",
      })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 pool check tank", "Whether the daemon's bookkeeping agrees with itself")
      .example("$0 pool check --device /srv/tank.img", "What lies on the devices")
      .epilogue("Exit status: 0 it is sound, 1 it is not, or could not be checked."),
  handler: run,
};
