import { findProgram } from "../peers/find.ts";
import type { LoadShape } from "../result.ts";
import {
  commonObjection,
  type Drive,
  type Driven,
  expectSaid,
  type Generator,
} from "./generator.ts";

const PROGRAM = "qemu-img";
/** What the file has that is behind the LUN. */
const PATTERN = 0xa5;
/** It counts requests, not seconds: so many bytes say how many come in a second. */
const TRIAL_BYTES = 64 * 1024 * 1024;
const TRIAL_REQUESTS_MAX = 4000;
/** Its clock has milliseconds. */
const TRIAL_SECONDS_MIN = 0.01;
const TRIAL_SECONDS_MAX = 10;

export function qemuImgCommand({ url, load }: Drive, requests: number): string[] {
  // prettier-ignore
  return [
    PROGRAM, "bench", "-f", "raw", "-c", String(requests), "-d", String(load.queueDepth),
    "-s", String(load.operationBytes),
    ...(load.kind === "write" ? ["-w", `--pattern=${PATTERN}`] : []),
    url,
  ];
}

const COMPLETED = /\nRun completed in (\d+\.\d{3}) seconds\.\n$/;

/** How many seconds it took, of its output. Throws where it is not that of this load, or where it has not come to its end. */
export function secondsOfQemuImg(output: string, { load }: Drive, requests: number): number {
  const { kind, operationBytes, queueDepth } = load;
  const what = `${requests} ${kind} requests, ${operationBytes} bytes each, ${queueDepth} in parallel`;
  expectSaid(
    PROGRAM,
    output,
    `Sending ${what} (starting at offset 0, step size ${operationBytes})`,
  );
  const seconds = Number(COMPLETED.exec(output)?.[1]);
  if (seconds >= 0) return seconds;
  throw new Error(`${PROGRAM} tells no time: ${JSON.stringify(output.slice(-200))}`);
}

/** `qemu-img bench`, with the block driver for iSCSI, as in Debian's qemu-utils and qemu-block-extra. It goes forward only, around and around. */
export const qemuImg: Generator = {
  name: PROGRAM,
  find: () => findProgram(PROGRAM, ["--version"]),
  objection: (load: LoadShape) =>
    load.pattern === "random" ? "it has no random offsets" : commonObjection(load),
  drive: async (drive, run): Promise<Driven> => {
    const bytes = drive.load.operationBytes;
    const trial = Math.min(
      TRIAL_REQUESTS_MAX,
      Math.max(drive.load.queueDepth, TRIAL_BYTES / bytes),
    );
    const tried = await run(qemuImgCommand(drive, trial), TRIAL_SECONDS_MAX);
    const trialSeconds = secondsOfQemuImg(tried.stdout, drive, trial);
    const guess = (trial / Math.max(TRIAL_SECONDS_MIN, trialSeconds)) * drive.seconds;
    const operations = Math.max(drive.load.queueDepth, Math.round(guess));
    const done = await run(qemuImgCommand(drive, operations), drive.seconds);
    const seconds = secondsOfQemuImg(done.stdout, drive, operations);
    if (seconds === 0) throw new Error(`${operations} requests are too few for its clock`);
    return { operations, operationsPerSecond: operations / seconds, latency: null, run: done };
  },
};
