import { dirname, resolve } from "node:path";
import type { CommandModule } from "yargs";
import { type ArgumentsOf, type ChangeReport, OperationError } from "../control/protocol.ts";
import { readBoundedText } from "./bounded-file.ts";
import { type Asking, confirm, YES_OPTION } from "./confirm.ts";
import type { ControlClient } from "./control-client.ts";
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

/** What the daemon takes of one: longer is no document. */
const DOCUMENT_BYTES_MAX: number = 4 * 1024 * 1024;

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
  let text: string;
  try {
    text = readBoundedText(file, DOCUMENT_BYTES_MAX);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} cannot be read: ${reason}`, { cause: error });
  }
  if (text.trim() !== "") return text;
  // Most often the file of a command that has failed: with --prune it would take all away.
  throw new UsageError(`${file} is empty: write {} into it where nothing is wanted`);
}

/** Asks whether what goes may go: what has come since is not taken away with it. */
export async function pruneAsking(
  daemon: Pick<ControlClient, "call">,
  body: ArgumentsOf<"system/apply">,
  asking?: Asking,
): Promise<readonly ChangeReport[]> {
  const would = await daemon.call("system/apply", { ...body, dryRun: true });
  const mayGo = would
    .filter(({ action }) => action === "delete")
    .map(({ kind, name }) => ({ kind, name }));
  const names = mayGo.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  if (mayGo.length > 0) await confirm(`It takes away ${names}`, "prune", false, asking);
  return daemon.call("system/apply", { ...body, mayGo });
}

async function run(args: ApplyArguments): Promise<void> {
  const { file, prune, "dry-run": dryRun } = args;
  const folder = file === "-" ? process.cwd() : dirname(resolve(file));
  const body = { document: readDocument(file), folder, prune };
  const changes = await withDaemon(args, async (daemon) => {
    try {
      if (prune && !dryRun && !args.yes) return await pruneAsking(daemon, body);
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
