import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CommandModule } from "yargs";
import { type ChangeReport, OperationError } from "../control/protocol.ts";
import { confirm, YES_OPTION } from "./confirm.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "./daemon-access.ts";
import { UsageError } from "./exit-code.ts";
import { print } from "./output.ts";

interface ApplyArguments extends DaemonOptions {
  readonly file: string;
  readonly "dry-run": boolean;
  readonly prune: boolean;
  readonly yes: boolean;
}

const SIGNS = { create: "+", change: "~", delete: "-" } as const;
const STANDARD_INPUT = 0;

/** What is different, a line for each thing and one for each of its settings. */
export function changesText(changes: readonly ChangeReport[], isDryRun: boolean): string {
  if (changes.length === 0) return "Everything is as it says: nothing changes.\n";
  const lines = changes.flatMap(({ action, kind, name, fields }) => [
    `${SIGNS[action]} ${kind} ${name}`,
    ...fields.map(
      ({ field, before, after }) =>
        `    ${field === "" ? "all" : field}: ${before ?? "nothing"} -> ${after ?? "nothing"}`,
    ),
  ]);
  const end = isDryRun ? "Nothing was changed: this is what would." : "Done.";
  return `${lines.join("\n")}\n${end}\n`;
}

function readDocument(file: string): string {
  try {
    return readFileSync(file === "-" ? STANDARD_INPUT : file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} cannot be read: ${reason}`, { cause: error });
  }
}

async function run(args: ApplyArguments): Promise<void> {
  const { file, prune, "dry-run": dryRun } = args;
  const folder = file === "-" ? process.cwd() : dirname(resolve(file));
  const body = { document: readDocument(file), folder, prune };
  const changes = await withDaemon(args, async (daemon) => {
    try {
      if (prune && !dryRun && !args.yes) {
        const would = await daemon.call("system/apply", { ...body, dryRun: true });
        const gone = would.filter(({ action }) => action === "delete");
        const names = gone.map(({ kind, name }) => `${kind} ${name}`).join(", ");
        if (gone.length > 0) await confirm(`It takes away ${names}`, "prune", false);
      }
      return await daemon.call("system/apply", { ...body, dryRun });
    } catch (error) {
      throw namingFile(error, file);
    }
  });
  print(changes, args.json, () => changesText(changes, dryRun));
}

/** The daemon knows the text, and not where it was. */
function namingFile(error: unknown, file: string): unknown {
  if (!(error instanceof OperationError)) return error;
  const message = error.message.replaceAll(/^document:/gm, `${file}:`);
  return new OperationError(error.kind, message, error);
}

/** `thinlun apply`. */
export const applyCommand: CommandModule<object, ApplyArguments> = {
  command: "apply <file>",
  describe: "Make pools, volumes, targets and all else what a file says, or change nothing",
  builder: (yargs) =>
    yargs
      .positional("file", {
        type: "string",
        demandOption: true,
        describe: "YAML as the configuration has it; - for standard input",
      })
      .option("dry-run", {
        type: "boolean",
        default: false,
        describe: "Only tell what would be different",
      })
      .option("prune", {
        type: "boolean",
        default: false,
        describe: "Take away what commands have made and the file does not name; no data go",
      })
      .options(YES_OPTION)
      .options(DAEMON_OPTIONS)
      .example("$0 apply site.yaml --dry-run", "The difference, and nothing else")
      .example("$0 apply site.yaml", "All of it or nothing; the second time changes nothing"),
  handler: run,
};
