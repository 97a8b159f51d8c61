import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { MIXED_READ_SHARE } from "../../src/initiator/load.ts";
import type { LoadShape } from "../result.ts";
import { onCpu } from "../support/measure.ts";
import { LOAD_CPU } from "../support/placement.ts";
import { findProgram } from "./find.ts";
import type { MeasureRequest, Peer, PeerSample } from "./peer.ts";
import { noDigests } from "./server.ts";

const execute = promisify(execFile);

const FIO_MODE: Readonly<Record<string, string>> = {
  "read random": "randread",
  "write random": "randwrite",
  "mixed random": "randrw",
  "read sequential": "read",
  "write sequential": "write",
};

function objection(load: LoadShape): string | null {
  if (FIO_MODE[`${load.kind} ${load.pattern}`] === undefined) return "fio has no such load";
  return load.luns > 1 ? "it is one file" : noDigests(load);
}

/**
 * Synchronous calls, one thread for each session: more in flight would only wait for each other, as the data are in the page cache. Where they are
 * not, a thread for each command.
 */
export function fioArguments(request: MeasureRequest, file: string): string[] {
  const { load, seconds, diskBytes } = request;
  return [
    "--name=bench",
    `--filename=${file}`,
    `--size=${diskBytes}`,
    `--rw=${FIO_MODE[`${load.kind} ${load.pattern}`]}`,
    `--rwmixread=${Math.round(MIXED_READ_SHARE * 100)}`,
    `--bs=${load.operationBytes}`,
    `--numjobs=${load.sessions * (load.isCold ? load.queueDepth : 1)}`,
    "--thread",
    "--ioengine=psync",
    "--time_based",
    `--runtime=${Math.max(1, Math.ceil(seconds))}`,
    // The file is as it was made, and in the page cache unless the load is cold.
    "--invalidate=0",
    "--fallocate=none",
    "--group_reporting",
    "--output-format=json",
    "--percentile_list=50:99:99.9",
    ...(load.flushEvery === 0 ? [] : [`--fsync=${load.flushEvery}`]),
  ];
}

interface FioDirection {
  readonly total_ios: number;
  readonly iops: number;
  readonly bw_bytes: number;
  readonly clat_ns: { readonly mean: number; readonly percentile?: Record<string, number> };
}

/** Of fio's JSON. Latencies of reads and writes are told apart there, so that mixed loads have none here. */
export function sampleOfFio(text: string): PeerSample {
  const { jobs } = JSON.parse(text.slice(text.indexOf("{"))) as {
    jobs: { read: FioDirection; write: FioDirection }[];
  };
  const [job] = jobs;
  if (job === undefined) throw new Error("fio says nothing");
  const active = [job.read, job.write].filter(({ total_ios }) => total_ios > 0);
  const sum = (figure: (direction: FioDirection) => number): number =>
    active.reduce((total, direction) => total + figure(direction), 0);
  const [only] = active;
  const times = active.length === 1 ? only?.clat_ns : undefined;
  const us = (key: string): number => (times?.percentile?.[key] ?? Number.NaN) / 1000;
  return {
    operations: sum(({ total_ios }) => total_ios),
    operationsPerSecond: sum(({ iops }) => iops),
    bytesPerSecond: sum(({ bw_bytes }) => bw_bytes),
    latency:
      times?.percentile === undefined
        ? null
        : {
            meanUs: times.mean / 1000,
            p50Us: us("50.000000"),
            p99Us: us("99.000000"),
            p999Us: us("99.900000"),
          },
    cpuUsPerOperation: null,
    cpuShare: null,
    generatorCpuShare: null,
    residentBytes: null,
  };
}

/** The same file without a target, by fio: what the machine gives to one process. */
export const rawFile: Peer = {
  name: "raw-file",
  role: "bound",
  protocol: "file",
  generator: "fio",
  find: () => findProgram("fio", ["--version"]),
  objection,
  start: ({ files: [file = ""] }) =>
    Promise.resolve({
      isAlive: () => true,
      measure: async (request: MeasureRequest) => {
        const command = ["fio", ...fioArguments(request, file)];
        const [program = "", ...args] =
          request.placement === "pinned" ? onCpu(LOAD_CPU, command) : command;
        return sampleOfFio((await execute(program, args, { signal: request.signal })).stdout);
      },
      stop: () => Promise.resolve(),
    }),
};
