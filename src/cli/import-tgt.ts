import { randomBytes } from "node:crypto";
import type { CommandModule } from "yargs";
import type { TgtApplyReply } from "../control/protocol.ts";
import type { Operations } from "./control-client.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "./daemon-access.ts";
import {
  passwordsOf,
  quietWorld,
  readConf,
  readFromConf,
  readFromRunning,
} from "./import-tgt/read-tgt.ts";
import { fileOf, takeOver } from "./import-tgt/take-over.ts";
import { print } from "./output.ts";

interface ImportArguments extends DaemonOptions {
  readonly conf: string | undefined;
  readonly running: boolean;
  readonly "control-port": number;
  readonly "dry-run": boolean;
  readonly force: boolean;
}

const DEFAULT_CONF = "/etc/tgt/targets.conf";

/** Of a password that nobody is to know: as long as initiators take them. */
const PASSWORD_BYTES = 8;

/** What an import has done, or would. */
export interface ImportReport extends Omit<TgtApplyReply, "spared"> {
  readonly notes: readonly string[];
}

/** For people: what is different, and what there is to know. */
export function importText({ differences, inUse, notes }: ImportReport, isDryRun: boolean): string {
  const lines = [
    ...differences,
    ...inUse.map((name) => `target ${name} is in use, and stays as it is: give --force`),
    ...notes.map((note) => `note: ${note}`),
  ];
  if (differences.length === 0) lines.push("Everything is as in tgt: nothing changes.");
  else lines.push(isDryRun ? "Nothing was changed: this is what would." : "Done.");
  return `${lines.join("\n")}\n`;
}

/** Takes targets over from tgt, by one change. */
export async function importTgt(
  daemon: Pick<Operations, "call">,
  args: Omit<ImportArguments, "json" | "state-dir">,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ImportReport> {
  const world = quietWorld(variables);
  const { conf: path, running, force, "dry-run": dryRun, "control-port": port } = args;
  const named = running && path === undefined ? null : readConf(path ?? DEFAULT_CONF, world);
  const reading =
    running || named === null
      ? await readFromRunning(world, port)
      : await readFromConf(named.conf, world, port);
  const own = await daemon.call("tgt/dump", { withSecrets: false });
  const paths = reading.document.targets.flatMap(({ luns }) =>
    luns.flatMap((lun) => fileOf(lun) ?? []),
  );
  const states = new Map<string, string>();
  for (const each of new Set(paths)) states.set(each, await world.lookAt(each));
  const { wanted, notes } = takeOver(reading.document, {
    passwords: named === null ? new Map<string, string>() : passwordsOf(named.conf),
    own,
    isOpen: (each) => states.get(each) === "open" || states.get(each) === "busy",
    isForced: force,
    makePassword: () => randomBytes(PASSWORD_BYTES).toString("hex"),
  });
  const reply = await daemon.call("tgt/apply", {
    wanted,
    remove: [],
    spareOthers: true,
    onlyNew: false,
    force,
    dryRun,
  });
  return { ...reply, notes: [...(named?.notes ?? []), ...reading.notes, ...notes] };
}

export const importTgtCommand: CommandModule<object, ImportArguments> = {
  command: "import-tgt",
  describe: "Take the targets of tgt over, with their identities",
  builder: (yargs) =>
    yargs
      .options(DAEMON_OPTIONS)
      .option("conf", {
        type: "string",
        requiresArg: true,
        describe: `The configuration of tgt; ${DEFAULT_CONF} where nothing is given`,
      })
      .option("running", {
        type: "boolean",
        default: false,
        describe:
          "Ask the tgtd that runs; --conf is for the passwords then, which it does not tell",
      })
      .option("control-port", {
        type: "number",
        requiresArg: true,
        default: 0,
        describe: "The control port of that tgtd",
      })
      .option("dry-run", {
        type: "boolean",
        default: false,
        describe: "Only tell what would be done",
      })
      .option("force", {
        type: "boolean",
        default: false,
        describe:
          "Serve disks that others have open, and take disks from initiators that are logged in",
      })
      .example("$0 import-tgt --dry-run", "what /etc/tgt/targets.conf would make")
      .example(
        "$0 import-tgt --running --conf /etc/tgt/targets.conf",
        "what tgtd has, with passwords",
      ),
  handler: async (args) => {
    const report = await withDaemon(args, (daemon) => importTgt(daemon, args, process.env));
    print(report, args.json, () => importText(report, args["dry-run"]));
  },
};
