import { DEFAULT_BLOCK_BYTES } from "../loads.ts";
import { findProgram } from "../peers/find.ts";
import type { LoadShape } from "../result.ts";
import {
  commonObjection,
  type Drive,
  type Driven,
  expectSaid,
  type Generator,
} from "./generator.ts";

const PROGRAM = "iscsi-perf";

/** It counts whole seconds. */
function wholeSeconds(seconds: number): number {
  return Math.max(1, Math.ceil(seconds));
}

export function iscsiPerfCommand({ url, load, seconds }: Drive): string[] {
  // prettier-ignore
  return [
    PROGRAM, "-t", String(wholeSeconds(seconds)), "-m", String(load.queueDepth),
    "-b", String(load.operationBytes / DEFAULT_BLOCK_BYTES),
    ...(load.pattern === "random" ? ["-r"] : []),
    url,
  ];
}

/** The last of what it writes over its line of progress. */
const AVERAGE = /\riops average (\d+) \(\d+ MB\/s\) *\n\nfinished\.\n$/;

/** Operations for each second, of its output. Throws where it is not that of this load, or where it has not come to its end. */
export function rateOfIscsiPerf(output: string, { load, seconds }: Drive): number {
  const blocks = load.operationBytes / DEFAULT_BLOCK_BYTES;
  for (const line of [
    `performing ${load.pattern.toUpperCase()} READ with ${load.queueDepth} parallel requests`,
    `FIXED transfer size of ${blocks} blocks (${load.operationBytes} byte)`,
    `will run for ${wholeSeconds(seconds)} seconds.`,
  ]) {
    expectSaid(PROGRAM, output, `\n${line}\n`);
  }
  const rate = Number(AVERAGE.exec(output)?.[1]);
  if (rate > 0) return rate;
  throw new Error(`${PROGRAM} tells no rate: ${JSON.stringify(output.slice(-200))}`);
}

/** libiscsi's, as in Debian's libiscsi-bin. It reads only, at random at any block and not at multiples of the size. */
export const iscsiPerf: Generator = {
  name: PROGRAM,
  find: async () => {
    const found = await findProgram(PROGRAM, []);
    if ("absent" in found) return found;
    return { version: found.version.replace(/ - .*/, "") };
  },
  objection: (load: LoadShape) => (load.kind === "write" ? "it only reads" : commonObjection(load)),
  drive: async (drive, run): Promise<Driven> => {
    const done = await run(iscsiPerfCommand(drive), wholeSeconds(drive.seconds));
    const operationsPerSecond = rateOfIscsiPerf(done.stdout, drive);
    const operations = Math.round(operationsPerSecond * wholeSeconds(drive.seconds));
    return { operations, operationsPerSecond, latency: null, run: done };
  },
};
