import type { ChildProcess } from "node:child_process";
import type { Load } from "../../src/initiator/load.ts";
import { driveWith } from "../generators/drive.ts";
import { DEFAULT_BLOCK_BYTES } from "../loads.ts";
import type { LoadShape } from "../result.ts";
import { measure } from "../support/measure.ts";
import { LOAD_CPU, place } from "../support/placement.ts";
import { end, processCpuReader, residentReader } from "../support/process.ts";
import type { MeasureRequest, PeerSample, RunningPeer } from "./peer.ts";

/** A process that serves on a port of loopback. */
export interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly protocol: "iscsi" | "nbd" | "tcp";
  /** Empty for others than iSCSI. */
  readonly targetName: string;
  /** In the order of the files that it serves. */
  readonly luns: readonly number[];
  /** A server that never sleeps stands still while others are measured. */
  readonly polls?: boolean;
}

/** What the generators make of the description of a load. */
export function loadOf(shape: LoadShape, diskBytes: number, luns: readonly number[]): Load {
  return {
    kind: shape.kind,
    pattern: shape.pattern,
    lun: luns[0] ?? 0,
    luns: luns.slice(0, shape.luns),
    commandBytes: shape.operationBytes,
    queueDepth: shape.queueDepth,
    blockBytes: DEFAULT_BLOCK_BYTES,
    capacityBlocks: diskBytes / shape.luns / DEFAULT_BLOCK_BYTES,
    ...(shape.flushEvery === 0 ? {} : { flushEvery: shape.flushEvery }),
  };
}

/** Drives a server with our own generators, or with the one that is asked for. */
export function runningServer(server: Server): RunningPeer {
  const { child, port, protocol, targetName, luns, polls = false } = server;
  const { pid } = child;
  if (pid === undefined) throw new Error("a server that runs has a process");
  const cpuSeconds = processCpuReader(child);
  const residentBytes = residentReader(child);
  const hold = (): void => {
    if (polls) child.kill("SIGSTOP");
  };
  const measureLoad = async (request: MeasureRequest): Promise<PeerSample> => {
    const { load, placement, seconds, signal, generator } = request;
    if (polls) child.kill("SIGCONT");
    await place(pid, placement);
    if (generator !== undefined) {
      const url = `iscsi://127.0.0.1:${port}/${targetName}/${luns[0] ?? 0}`;
      const driven = await driveWith(generator, { url, cpuSeconds }, request).finally(hold);
      return { ...driven, residentBytes: residentBytes() };
    }
    const sample = await measure(
      { port, targetName, cpuSeconds },
      loadOf(load, request.diskBytes, luns),
      {
        seconds,
        protocol,
        sessions: load.sessions,
        digests: load.digests,
        signal,
        ...(placement === "pinned" ? { cpu: LOAD_CPU } : {}),
      },
    ).finally(hold);
    const { meanUs, medianUs, p99Us, p999Us } = sample;
    return {
      operations: sample.commands,
      operationsPerSecond: sample.commandsPerSecond,
      bytesPerSecond: sample.bytesPerSecond,
      latency: { meanUs, p50Us: medianUs, p99Us, p999Us },
      cpuUsPerOperation: sample.cpuUsPerCommand,
      cpuShare: sample.cpuShare,
      generatorCpuShare: sample.generatorCpuShare,
      residentBytes: residentBytes(),
    };
  };
  hold();
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    measure: measureLoad,
    stop: () => {
      if (polls) child.kill("SIGCONT");
      return end(child);
    },
  };
}

export function noDigests(load: LoadShape): string | null {
  return load.digests ? "the protocol has no digests" : null;
}

/** For servers of one export. */
export function oneExport(load: LoadShape): string | null {
  return load.luns > 1 ? "a connection sees one export" : noDigests(load);
}
