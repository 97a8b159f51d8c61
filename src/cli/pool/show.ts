import type { CommandModule } from "yargs";
import type { ReplyOf, UsageMap } from "../../control/protocol.ts";
import { formatSize } from "../../util/units.ts";
import { print } from "../output.ts";
import { ACCESS_OPTIONS, type AccessOptions, JSON_OPTION, withOperations } from "../pool-access.ts";
import { volumeTable } from "../volume-table.ts";

interface ShowArguments extends AccessOptions {
  readonly pool: string;
  readonly json: boolean;
}

const CELLS_IN_A_LINE = 64;
const LINES = 8;

/** From empty to full, in quarters. */
const SHADES = [".", "-", "+", "x", "#"] as const;

function cellLetter({ data, metadata }: UsageMap["cells"][number]): string {
  if (metadata > 0 && metadata >= data) return "M";
  return SHADES[Math.ceil((data + metadata) * (SHADES.length - 1))] ?? "#";
}

/** The pool's space as letters, 64 to a line. */
export function usageMapText({ cellBytes, cells }: UsageMap): string {
  const letters = cells.map(cellLetter).join("");
  const lines: string[] = [];
  for (let at = 0; at < letters.length; at += CELLS_IN_A_LINE) {
    lines.push(`  ${letters.slice(at, at + CELLS_IN_A_LINE)}\n`);
  }
  const legend = `  each ${formatSize(cellBytes)}: ${SHADES.join("")} from empty to full, M metadata\n`;
  return lines.join("") + legend;
}

export function poolText(pool: ReplyOf<"pool/show">): string {
  const { space, thresholds, overcommitMax, failure } = pool;
  const rows: (readonly [string, string])[] = [
    ["uuid", pool.uuid],
    ["extents", `${formatSize(pool.extentBytes)} each`],
    ["size", formatSize(space.capacityBytes)],
    [
      "data",
      `${formatSize(space.dataBytes)}, and ${formatSize(space.sharedBytes)} saved by sharing`,
    ],
    ["metadata", formatSize(space.metadataBytes)],
    ["reserved", formatSize(space.reservedBytes)],
    ["free", `${formatSize(space.usableBytes)} for volumes`],
    [
      "promised",
      `${formatSize(space.virtualBytes)}${overcommitMax === 0 ? "" : `, at most ${overcommitMax} times the size`}`,
    ],
  ];
  if (thresholds.length > 0) {
    const percents = thresholds.map((share) => `${Math.round(share * 100)} %`);
    rows.push(["warns at", percents.join(", ")]);
  }
  if (failure !== null) rows.push(["FAILED", failure]);
  for (const { path, uuid, sizeBytes } of pool.devices) {
    rows.push(["device", `${path}  ${formatSize(sizeBytes)}  ${uuid}`]);
  }
  const facts = rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}\n`).join("");
  const volumes = pool.volumes.length === 0 ? "" : `\n${volumeTable(pool.volumes)}`;
  return `pool ${pool.name}\n${facts}\n${usageMapText(pool.map)}${volumes}`;
}

async function run({ pool, json, ...access }: ShowArguments): Promise<void> {
  const cells = CELLS_IN_A_LINE * LINES;
  const shown = await withOperations(access, (operations) =>
    operations.call("pool/show", { pool, cells }),
  );
  print(shown, json, () => poolText(shown));
}

/** `thinlun pool show`. */
export const showCommand: CommandModule<object, ShowArguments> = {
  command: "show <pool>",
  describe: "Show where a pool's space is",
  builder: (yargs) =>
    yargs
      .positional("pool", { type: "string", demandOption: true, describe: "Name or UUID" })
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 pool show tank", "Space, devices, a map of what is in use, volumes"),
  handler: run,
};
