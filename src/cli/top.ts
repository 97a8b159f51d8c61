import { setTimeout as sleep } from "node:timers/promises";
import type { CommandModule } from "yargs";
import type { StatusReport } from "../control/protocol.ts";
import { formatSize } from "../util/units.ts";
import type { Operations } from "./control-client.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "./daemon-access.ts";
import { UsageError } from "./exit-code.ts";
import { print, printText } from "./output.ts";
import { formatDuration } from "./status.ts";
import { type Column, formatTable, terminalColumns } from "./table.ts";
import { counted } from "./target-text.ts";
import { liveRates, type LunRates, ratesOf } from "./top-rates.ts";

interface TopArguments extends DaemonOptions {
  readonly interval: number;
  readonly once: boolean;
}

const MS_PER_SECOND = 1000;

/** More often would be seen by nobody, and less often taken for a program that hangs. */
const INTERVAL_SECONDS = { least: 0.2, most: 3600 } as const;

/** Back to the corner, and what was there is gone. */
const CLEAR = "\u001b[H\u001b[2J";

function perSecond(bytes: number): string {
  return `${formatSize(Math.round(bytes))}/s`;
}

function latencyOf({ latencyMs }: LunRates): string {
  if (latencyMs === null) return "";
  return latencyMs < 1 ? `${Math.round(latencyMs * 1000)} us` : `${latencyMs.toFixed(1)} ms`;
}

interface RateColumn extends Column {
  readonly valueOf: (one: LunRates) => string;
  /** What goes first where there is no room for all: the highest. 0: what the line is about. */
  readonly dispensability: number;
}

const numeric = (
  heading: string,
  dispensability: number,
  valueOf: RateColumn["valueOf"],
): RateColumn => ({ heading, isNumber: true, dispensability, valueOf });

const COLUMNS: readonly RateColumn[] = [
  numeric("LUN", 0, ({ lun }) => String(lun)),
  numeric("READ/S", 1, ({ readsPerSecond }) => String(Math.round(readsPerSecond))),
  numeric("WRITE/S", 1, ({ writesPerSecond }) => String(Math.round(writesPerSecond))),
  numeric("READ", 3, ({ readBytesPerSecond }) => perSecond(readBytesPerSecond)),
  numeric("WRITTEN", 3, ({ writtenBytesPerSecond }) => perSecond(writtenBytesPerSecond)),
  numeric("LATENCY", 2, latencyOf),
  numeric("RUN", 4, ({ running }) => String(running)),
  numeric("ERR", 5, ({ errors }) => String(errors)),
  { heading: "TARGET", dispensability: 0, valueOf: ({ target }) => target },
  { heading: "INITIATOR", dispensability: 0, valueOf: ({ initiator }) => initiator },
];

/** What a name has to have at least, so that people can tell one from another: the ends of names are told apart. */
const NAME_WIDTH_MIN = 9;

/** The columns for which there is room, names at their narrowest. */
function columnsFor(rates: readonly LunRates[], widthMax: number): readonly RateColumn[] {
  const widthOf = ({ heading, isNumber = false, valueOf }: RateColumn): number =>
    isNumber
      ? Math.max(heading.length, ...rates.map((one) => valueOf(one).length))
      : NAME_WIDTH_MIN;
  let left = COLUMNS;
  for (let level = Math.max(...COLUMNS.map((one) => one.dispensability)); level > 0; level -= 1) {
    const width = left.reduce((sum, column) => sum + widthOf(column) + GAP_WIDTH, -GAP_WIDTH);
    if (width <= widthMax) break;
    left = left.filter(({ dispensability }) => dispensability < level);
  }
  return left;
}

const GAP_WIDTH = 2;

/** What of a line fits. */
function cutTo(line: string, widthMax: number): string {
  return line.length <= widthMax ? line : `${line.slice(0, widthMax - 1)}~`;
}

/** Names of iSCSI begin alike: where there is no room, the end is what tells them apart. */
function shortened(name: string, width: number): string {
  return name.length <= width ? name : `~${name.slice(name.length - width + 1)}`;
}

/** Where a picture is shown. */
export interface Canvas {
  readonly lines: number;
  readonly columns: number;
}

const ENDLESS: Canvas = { lines: Number.POSITIVE_INFINITY, columns: Number.POSITIVE_INFINITY };

/** What there is room for: a picture that stays takes the lines that it needs, and nobody has it wrapped. */
export function canvasOf(
  use: "once" | "live",
  lines: number = process.stdout.rows,
  columns: number = terminalColumns(),
): Canvas {
  return { lines: use === "once" ? Number.POSITIVE_INFINITY : lines, columns };
}

function tableOf(rates: readonly LunRates[], widthMax: number): string {
  const columns = columnsFor(rates, widthMax);
  const rows = rates.map((one) => columns.map(({ valueOf }) => valueOf(one)));
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const isName = columns.map(({ isNumber = false }) => !isNumber);
  const sumOf = (which: boolean): number =>
    widths.reduce((sum, width, index) => sum + (isName[index] === which ? width : 0), 0);
  const count = isName.filter(Boolean).length;
  // The widest name gives first.
  const room = Math.max(widthMax - sumOf(false) - GAP_WIDTH * (columns.length - 1), 0);
  for (let excess = sumOf(true) - room; excess > 0 && count > 0; excess -= 1) {
    const widest = Math.max(...widths.filter((_, index) => isName[index]));
    if (widest <= NAME_WIDTH_MIN) break;
    widths[widths.findIndex((width, index) => isName[index] === true && width === widest)]! -= 1;
  }
  const cells = rows.map((row) =>
    row.map((cell, index) => (isName[index] === true ? shortened(cell, widths[index] ?? 0) : cell)),
  );
  return formatTable(columns, cells, widthMax);
}

/** One picture: the daemon, and what each initiator does on each LUN, as far as there is room. */
export function topText(
  status: StatusReport,
  rates: readonly LunRates[],
  { lines, columns }: Canvas = ENDLESS,
): string {
  const { uptimeSeconds, sessionCount, targetCount, failedPools } = status;
  const total = (value: (one: LunRates) => number): number =>
    rates.reduce((sum, one) => sum + value(one), 0);
  const head = [
    `thinlun ${status.version}, up for ${formatDuration(uptimeSeconds)}: ` +
      `${counted(targetCount, "target")}, ${counted(sessionCount, "session")}`,
    `${Math.round(total((one) => one.readsPerSecond))} reads/s, ${perSecond(total((one) => one.readBytesPerSecond))}; ` +
      `${Math.round(total((one) => one.writesPerSecond))} writes/s, ${perSecond(total((one) => one.writtenBytesPerSecond))}`,
    ...failedPools.map(({ pool, failure }) => `FAILED pool ${pool}: ${failure}`),
    "",
  ];
  const room = Math.max(lines - head.length - 2, 1);
  const shown = rates.slice(0, room);
  const table = tableOf(shown, columns);
  const top = head.map((line) => cutTo(line, columns));
  return `${top.join("\n")}\n${rates.length === 0 ? "Nobody has used a LUN yet.\n" : table}`;
}

interface Picture {
  readonly status: StatusReport;
  readonly rates: readonly LunRates[];
}

/** One picture after the other, each of the time since the one before it. */
async function* pictures(daemon: Operations, intervalMs: number): AsyncGenerator<Picture> {
  let before = await daemon.call("lun/stat", {});
  for (;;) {
    await sleep(intervalMs);
    const after = await daemon.call("lun/stat", {});
    const status = await daemon.call("system/status", {});
    const sessions = await daemon.call("session/list", {});
    yield { status, rates: liveRates(ratesOf(before, after), sessions) };
    before = after;
  }
}

async function run(args: TopArguments): Promise<void> {
  const { interval, once, json } = args;
  const { least, most } = INTERVAL_SECONDS;
  if (!(interval >= least && interval <= most)) {
    throw new UsageError(`--interval is from ${least} to ${most} seconds`);
  }
  const { isTTY: isTerminal } = process.stdout;
  // Without a terminal nobody would stop it.
  const isOnce = once || json || !isTerminal;
  await withDaemon(args, async (daemon) => {
    for await (const { status, rates } of pictures(daemon, interval * MS_PER_SECOND)) {
      if (isOnce) {
        print({ status, rates }, json, () => topText(status, rates, canvasOf("once")));
        return;
      }
      process.stdout.write(CLEAR);
      printText(topText(status, rates, canvasOf("live")));
    }
  });
}

/** `thinlun top`. */
export const topCommand: CommandModule<object, TopArguments> = {
  command: "top",
  describe: "Watch what initiators do: operations, bytes and latency by LUN",
  builder: (yargs) =>
    yargs
      .option("interval", {
        type: "number",
        requiresArg: true,
        default: 1,
        describe: "Seconds between two pictures",
      })
      .option("once", { type: "boolean", default: false, describe: "One picture, and end" })
      .options(DAEMON_OPTIONS)
      .example("$0 top", "Until Ctrl-C")
      .example("$0 top --once --interval 10", "Of ten seconds, for a file"),
  handler: run,
};
