import type { CommandModule } from "yargs";
import type { DifferenceReport } from "../../control/protocol.ts";
import { formatSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { UsageError } from "../exit-code.ts";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, type AccessOptions, JSON_OPTION, withOperations } from "../pool-access.ts";
import { formatTable } from "../table.ts";
import { parseVolumePath, parseVolumePaths, type VolumePath } from "../volume-path.ts";
import { volumeTable } from "../volume-table.ts";

const OPTIONS = { ...ACCESS_OPTIONS, ...JSON_OPTION } as const;

interface Common extends AccessOptions {
  readonly json: boolean;
}

const NAME_DEFAULT = "{volume}@{time}";

/** The names of snapshots, from a pattern with {volume} and {time} (to the second, UTC). */
export function snapshotNames(
  volumes: readonly VolumePath[],
  pattern: string,
  now: Date,
): { readonly volume: string; readonly name: string }[] {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  if (volumes.length > 1 && !pattern.includes("{volume}")) {
    throw new UsageError("several snapshots need several names: put {volume} into --name");
  }
  return volumes.map(({ volume }) => ({
    volume,
    name: pattern.replaceAll("{volume}", volume).replaceAll("{time}", time),
  }));
}

interface CreateArguments extends Common {
  readonly volumes: string[];
  readonly name: string;
  readonly writable: boolean;
  readonly "read-only": boolean;
}

/** `thinlun snapshot create`. */
export const createCommand: CommandModule<object, CreateArguments> = {
  command: "create <volumes..>",
  describe: "Take snapshots, of several volumes at one instant",
  builder: (yargs) =>
    yargs
      .positional("volumes", {
        type: "string",
        array: true,
        demandOption: true,
        describe: "POOL/VOLUME, and more of the same pool",
      })
      .option("name", {
        type: "string",
        requiresArg: true,
        default: NAME_DEFAULT,
        describe: "Its name; {volume} and {time} are filled in",
      })
      .option("writable", { type: "boolean", default: false, describe: "One that can be written" })
      .option("read-only", {
        type: "boolean",
        default: false,
        describe: "One that cannot be written, which is what it is otherwise",
      })
      .options(OPTIONS)
      .example("$0 snapshot create tank/disk1 --name monday", "tank/monday")
      .example("$0 snapshot create tank/data tank/log --name '{volume}@1'", "At one instant"),
  handler: async ({ volumes, name, writable, json, ...rest }) => {
    if (writable && rest["read-only"]) {
      throw new UsageError("a snapshot is read-only or writable, not both");
    }
    const paths = parseVolumePaths(volumes);
    const copies = snapshotNames(paths, name, new Date());
    const pool = paths[0]?.pool ?? "";
    const made = await withOperations(rest, (operations) =>
      operations.call("snapshot/create", { pool, copies, writable }),
    );
    print(made, json, () => made.map((volume) => `${pool}/${volume.name}\n`).join(""));
  },
};

interface ListArguments extends Common {
  readonly pool: string | undefined;
}

/** `thinlun snapshot list`. */
export const listCommand: CommandModule<object, ListArguments> = {
  command: "list [pool]",
  describe: "List snapshots",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", describe: "Only those of this pool" })
      .options(OPTIONS),
  handler: async ({ pool, json, ...access }) => {
    const snapshots = await withOperations(access, (operations) =>
      operations.call("snapshot/list", pool === undefined ? {} : { pool }),
    );
    print(snapshots, json, () => volumeTable(snapshots));
  },
};

interface DeleteArguments extends Common {
  readonly snapshot: string;
  readonly yes: boolean;
}

const SNAPSHOT = { type: "string", demandOption: true, describe: "POOL/SNAPSHOT" } as const;

/** `thinlun snapshot delete`. */
export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: "delete <snapshot>",
  describe: "Delete a snapshot",
  builder: (yargs) => yargs.positional("snapshot", SNAPSHOT).options(YES_OPTION).options(OPTIONS),
  handler: async (args) => {
    const path = parseVolumePath(args.snapshot);
    await confirm(`${args.snapshot} will be lost`, args.snapshot, args.yes);
    await withOperations(args, (operations) => operations.call("snapshot/delete", path));
    print({}, args.json, () => `${args.snapshot} is deleted.\n`);
  },
};

interface RollbackArguments extends Common {
  readonly volume: string;
  readonly to: string;
  readonly unrelated: boolean;
  readonly yes: boolean;
}

/** The snapshot that a volume goes back to, of the same pool. */
function sourceOf({ pool }: VolumePath, text: string): string {
  if (!text.includes("/")) return text;
  const source = parseVolumePath(text);
  if (source.pool === pool) return source.volume;
  throw new UsageError(`${text} is of another pool than the volume`);
}

/** What a rollback destroys, and what is to be typed to consent: a slip is as likely in either name. */
export function rollbackLoss(
  volume: string,
  source: string,
  isUnrelated: boolean,
): { readonly what: string; readonly word: string } {
  const loss = isUnrelated
    ? "all of its own content can be lost"
    : "what was written to it since will be lost";
  return { what: `${volume} becomes what ${source} is: ${loss}`, word: `${volume} ${source}` };
}

/** `thinlun snapshot rollback`, also while the volume is served. */
export const rollbackCommand: CommandModule<object, RollbackArguments> = {
  command: "rollback <volume> <to>",
  describe: "Make a volume what a snapshot is, also while it is served",
  builder: (yargs) =>
    yargs
      .positional("volume", { type: "string", demandOption: true, describe: "POOL/VOLUME" })
      .positional("to", { type: "string", demandOption: true, describe: "The snapshot" })
      .option("unrelated", {
        type: "boolean",
        default: false,
        describe: "Also to what was not made from the volume, nor the volume from it",
      })
      .options(YES_OPTION)
      .options(OPTIONS)
      .epilogue(
        "Unmount it at the initiators first: what they hold in memory is of the old content.",
      )
      .example("$0 snapshot rollback tank/disk1 monday", "What was written since is lost"),
  handler: async (args) => {
    const path = parseVolumePath(args.volume);
    const source = sourceOf(path, args.to);
    const { unrelated } = args;
    const { what, word } = rollbackLoss(args.volume, source, unrelated);
    await confirm(what, word, args.yes);
    const volume = await withOperations(args, (operations) =>
      operations.call("snapshot/rollback", { ...path, source, unrelated }),
    );
    print(volume, args.json, () => `${args.volume} is what ${source} is.\n`);
  },
};

interface CloneArguments extends Common {
  readonly snapshot: string;
  readonly name: string;
}

/** `thinlun snapshot clone`. */
export const cloneCommand: CommandModule<object, CloneArguments> = {
  command: "clone <snapshot> <name>",
  describe: "Make a volume that can be written from a snapshot",
  builder: (yargs) =>
    yargs
      .positional("snapshot", { ...SNAPSHOT, describe: "POOL/SNAPSHOT, or any volume" })
      .positional("name", { type: "string", demandOption: true, describe: "Without the pool" })
      .options(OPTIONS),
  handler: async (args) => {
    const { pool, volume } = parseVolumePath(args.snapshot);
    const copies = [{ volume, name: args.name }];
    const [made] = await withOperations(args, (operations) =>
      operations.call("snapshot/create", { pool, copies, writable: true }),
    );
    print(made, args.json, () => `${pool}/${args.name}\n`);
  },
};

interface DiffArguments extends Common {
  readonly from: string;
  readonly to: string;
}

/** Gathers all pages of a difference. */
async function differences(
  { pool, volume: from }: VolumePath,
  to: string,
  access: AccessOptions,
): Promise<DifferenceReport[]> {
  return withOperations(access, async (operations) => {
    const all: DifferenceReport[] = [];
    let offsetBytes: number | null = 0;
    while (offsetBytes !== null) {
      const range: { pool: string; from: string; to: string; offsetBytes: number } = {
        pool,
        from,
        to,
        offsetBytes,
      };
      const page = await operations.call("snapshot/diff", range);
      for (const difference of page.differences) all.push(difference);
      offsetBytes = page.nextOffsetBytes;
    }
    return all;
  });
}

/** `thinlun snapshot diff`. */
export const diffCommand: CommandModule<object, DiffArguments> = {
  command: "diff <from> <to>",
  describe: "Show where a volume differs from a snapshot",
  builder: (yargs) =>
    yargs
      .positional("from", { type: "string", demandOption: true, describe: "POOL/SNAPSHOT" })
      .positional("to", { type: "string", demandOption: true, describe: "Of the same pool" })
      .options(OPTIONS)
      .epilogue(
        "What is in no range is equal. A range can be equal all the same, where the same was written again.",
      )
      .example(
        "$0 snapshot diff tank/monday tank/tuesday --json",
        "For a backup of what has changed",
      ),
  handler: async (args) => {
    const from = parseVolumePath(args.from);
    const to = sourceOf(from, args.to);
    const changed = await differences(from, to, args);
    print({ pool: from.pool, from: from.volume, to, differences: changed }, args.json, () => {
      if (changed.length === 0) return "They are equal.\n";
      const bytes = changed.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
      const table = formatTable(
        [
          { heading: "OFFSET", isNumber: true },
          { heading: "LENGTH", isNumber: true },
          { heading: "" },
        ],
        changed.map(({ offsetBytes, lengthBytes, kind }) => [
          String(offsetBytes),
          String(lengthBytes),
          kind,
        ]),
      );
      return `${table}${formatSize(bytes)} in ${changed.length} ranges\n`;
    });
  },
};
