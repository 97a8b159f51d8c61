import type { CommandModule } from "yargs";
import { formatSize } from "../../util/units.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { withLongWork } from "../long-work.ts";
import { print } from "../output.ts";
import { DEVICE_OPTION, JSON_OPTION, STATE_OPTION } from "../pool-access.ts";
import {
  optionalSize,
  overwriteOptionsOf,
  WIPE_OPTIONS,
  type WipeOptions,
  wipes,
} from "../pool-options.ts";

interface RepairArguments extends WipeOptions {
  readonly device: string[];
  readonly to: string[];
  readonly size: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
}

async function run(args: RepairArguments): Promise<void> {
  if (wipes(args)) {
    await confirm(`What is on ${args.to.join(", ")} will be destroyed`, "repair", args.yes);
  }
  const { repairDevices } = await import("../../offline.ts");
  const options = {
    ...overwriteOptionsOf(args),
    devices: args.device,
    targets: args.to,
    targetBytes: optionalSize(args.size) ?? null,
  };
  const report = await withLongWork((waiting) => repairDevices(options, waiting));
  const { source, volumes, lostExtents, notes } = report;
  print(report, args.json, () => {
    const list = volumes.map(({ name, sizeBytes }) => `  ${name}  ${formatSize(sizeBytes)}\n`);
    const from = source === "checkpoint" ? "a whole checkpoint" : "single pages";
    const lost = lostExtents === 0 ? "" : `${lostExtents} extents could not be read: zeros.\n`;
    const remarks = notes.map((note) => `note: ${note}\n`).join("");
    return `${remarks}Saved from ${from} to ${args.to.join(", ")}:\n${list.join("")}${lost}`;
  });
}

/** `thinlun pool repair`: saves what is left into a new pool; the old one is only read. */
export const repairCommand: CommandModule<object, RepairArguments> = {
  command: "repair",
  describe: "Save what is left of a pool to other devices; it is only read",
  builder: (yargs) =>
    yargs
      .options(STATE_OPTION)
      .option("device", {
        ...DEVICE_OPTION.device,
        demandOption: true,
        describe: "The damaged pool's; give each that is left",
      })
      .option("to", {
        type: "string",
        array: true,
        requiresArg: true,
        demandOption: true,
        describe: "A device for the new pool; give each of them",
      })
      .option("size", {
        type: "string",
        requiresArg: true,
        describe: "Make image files of this size where there are none",
      })
      .options(WIPE_OPTIONS)
      .options(YES_OPTION)
      .options(JSON_OPTION)
      .example("$0 pool repair --device /dev/sdb --to /srv/saved.img --size 100GiB", ""),
  handler: run,
};
