import { findProgram } from "../peers/find.ts";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { sampleOfFio } from "../peers/raw-file.ts";
import type { LoadShape } from "../result.ts";
import { commonObjection, type Drive, type Driven, type Generator } from "./generator.ts";

const execute = promisify(execFile);

/** Of the text of `fio --enghelp`: one engine a line. */
export function hasLibiscsi(engines: string): boolean {
  return engines.split("\n").some((line) => line.trim() === "libiscsi");
}

export function fioLibiscsiCommand({ url, load, diskBytes, seconds }: Drive): string[] {
  const direction = load.kind === "write" ? "write" : "read";
  return [
    "fio",
    "--name=bench",
    "--ioengine=libiscsi",
    // A colon would begin the name of another file.
    `--filename=${url.replaceAll(":", String.raw`\:`)}`,
    `--size=${diskBytes}`,
    `--rw=${load.pattern === "random" ? "rand" : ""}${direction}`,
    `--bs=${load.operationBytes}`,
    `--iodepth=${load.queueDepth}`,
    "--thread",
    "--time_based",
    `--runtime=${Math.max(1, Math.ceil(seconds))}`,
    "--output-format=json",
    "--percentile_list=50:99:99.9",
  ];
}

/** fio, where it is built with libiscsi; Debian's is not. */
export const fioLibiscsi: Generator = {
  name: "fio-libiscsi",
  find: async () => {
    const found = await findProgram("fio", ["--version"]);
    if ("absent" in found) return found;
    const { stdout } = await execute("fio", ["--enghelp"]);
    return hasLibiscsi(stdout) ? found : { absent: `${found.version} is built without libiscsi` };
  },
  objection: (load: LoadShape) => commonObjection(load),
  drive: async (drive, run): Promise<Driven> => {
    const done = await run(fioLibiscsiCommand(drive), Math.max(1, Math.ceil(drive.seconds)));
    const { operations, operationsPerSecond, latency } = sampleOfFio(done.stdout);
    return { operations, operationsPerSecond, latency, run: done };
  },
};
