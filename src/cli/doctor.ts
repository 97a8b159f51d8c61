import type { CommandModule } from "yargs";
import { examine } from "./doctor/examine.ts";
import { type Finding, type Level, LEVELS } from "./doctor/finding.ts";
import { systemHost } from "./doctor/system-host.ts";
import { ExitCode } from "./exit-code.ts";
import { print } from "./output.ts";
import { JSON_OPTION, STATE_OPTION } from "./pool-access.ts";

interface DoctorArguments {
  readonly "state-dir": string | undefined;
  readonly config: string;
  readonly json: boolean;
}

const CONFIG_FILE = "/etc/thinlun/thinlun.yaml";

/** Columns before the sentence: the level, the check, and their gaps. */
const CHECK_WIDTH = 10;
const LEVEL_WIDTH = 4;
const INDENT = " ".repeat(LEVEL_WIDTH + CHECK_WIDTH + 2);

/** For people: a sentence for each finding, what to do under it, and how many there are of each kind. */
export function doctorText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, check, message, fix }) => {
    const first = `${level.padEnd(LEVEL_WIDTH)} ${check.padEnd(CHECK_WIDTH)} ${message}.`;
    return fix === null ? [first] : [first, ...fix.split("\n").map((line) => `${INDENT}${line}`)];
  });
  const count = (level: Level): number => findings.filter((one) => one.level === level).length;
  const [okCount, warnCount, failCount] = LEVELS.map(count);
  return `${lines.join("\n")}\n\n${okCount} ok, ${warnCount} to think about, ${failCount} failed\n`;
}

/** A warning is no failure: scripts may run this before each start. */
export function doctorStatus(findings: readonly Finding[]): ExitCode {
  return findings.some(({ level }) => level === "fail") ? ExitCode.failed : ExitCode.success;
}

async function run(args: DoctorArguments): Promise<void> {
  const findings = await examine(systemHost(args["state-dir"] ?? null, args.config));
  print(findings, args.json, () => doctorText(findings));
  process.exitCode = doctorStatus(findings);
}

/** `thinlun doctor`: what is missing or unwise on this host, and what to do about it. */
export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: "doctor",
  describe: "Look for what is missing or unwise on this host, and say what to do",
  builder: (yargs) =>
    yargs
      .options(STATE_OPTION)
      .option("config", {
        alias: "c",
        type: "string",
        requiresArg: true,
        default: CONFIG_FILE,
        describe: "The daemon's configuration, for the devices that it exports",
      })
      .options(JSON_OPTION)
      .example("$0 doctor", "Everything; status 1 where something does not work"),
  handler: run,
};
