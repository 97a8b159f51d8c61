import { setTimeout as sleep } from "node:timers/promises";
import type { CommandModule } from "yargs";
import type { StatusReport } from "../control/protocol.ts";
import { formatSize } from "../util/units.ts";
import type { Operations } from "./control-client.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "./daemon-access.ts";
import { UsageError } from "./exit-code.ts";
import { print, printText } from "./output.ts";
import { formatDuration } from "./status.ts";
import { formatTable } from "./table.ts";
import { counted } from "./target-text.ts";
import { type LunRates, ratesOf } from "./top-rates.ts";

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

/** One picture: the daemon, and what each initiator does on each LUN. No more than so many lines. */
export function topText(
  status: StatusReport,
  rates: readonly LunRates[],
  linesMax: number = Number.POSITIVE_INFINITY,
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
  const room = Math.max(linesMax - head.length - 2, 1);
  const table = formatTable(
    [
      { heading: "LUN", isNumber: true },
      { heading: "READ/S", isNumber: true },
      { heading: "WRITE/S", isNumber: true },
      { heading: "READ", isNumber: true },
      { heading: "WRITTEN", isNumber: true },
      { heading: "LATENCY", isNumber: true },
      { heading: "RUN", isNumber: true },
      { heading: "ERR", isNumber: true },
      { heading: "TARGET" },
      { heading: "INITIATOR" },
    ],
    rates
      .slice(0, room)
      .map((one) => [
        String(one.lun),
        String(Math.round(one.readsPerSecond)),
        String(Math.round(one.writesPerSecond)),
        perSecond(one.readBytesPerSecond),
        perSecond(one.writtenBytesPerSecond),
        latencyOf(one),
        String(one.running),
        String(one.errors),
        one.target,
        one.initiator,
      ]),
  );
  return `${head.join("\n")}\n${rates.length === 0 ? "Nobody has used a LUN yet.\n" : table}`;
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
    yield { status, rates: ratesOf(before, after) };
    before = after;
  }
}

async function run(args: TopArguments): Promise<void> {
  const { interval, once, json } = args;
  const { least, most } = INTERVAL_SECONDS;
  if (!(interval >= least && interval <= most)) {
    throw new UsageError(`--interval is from ${least} to ${most} seconds`);
  }
  const { isTTY: isTerminal, rows } = process.stdout;
  // Without a terminal nobody would stop it.
  const isOnce = once || json || !isTerminal;
  await withDaemon(args, async (daemon) => {
    for await (const { status, rates } of pictures(daemon, interval * MS_PER_SECOND)) {
      if (isOnce) {
        print({ status, rates }, json, () => topText(status, rates));
        return;
      }
      process.stdout.write(CLEAR);
      printText(topText(status, rates, rows));
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
