import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "../../src/initiator/load.ts";
import { type Driver, sumOf } from "../drivers/driver.ts";
import { ECHO_HEADER_BYTES, openEchoDriver } from "../drivers/echo-driver.ts";
import { openIscsiDriver } from "../drivers/iscsi-driver.ts";
import { openNbdDriver } from "../drivers/nbd-driver.ts";
import { cpuMsSince } from "./statistics.ts";

/** What the parent asks for, as JSON in the first argument. */
export interface LoadRequest {
  /** iSCSI where left out. */
  readonly protocol?: "iscsi" | "nbd" | "tcp";
  readonly port: number;
  readonly targetName: string;
  readonly load: Load;
  /** Side by side, each with the load; 1 where left out. */
  readonly sessions?: number;
  /** Header and data digests of iSCSI. */
  readonly digests?: boolean;
  /** Goes before the load that is measured; undefined: the load itself, of which the first is not counted. */
  readonly warmUp?: Load;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Keeps its CPU awake while it waits for answers. */
  readonly polls: boolean;
}

/** What the child prints when it is about to begin, as a line of its own. */
const STARTED = "started";

/** What the child prints at the end, as one line of JSON. */
export interface LoadReport {
  /** Of the time that was measured. */
  readonly commands: number;
  /** With those of the warming up. */
  readonly commandsInAll: number;
  readonly commandsPerSecond: number;
  /** That were read and written. */
  readonly bytesPerSecond: number;
  readonly meanUs: number;
  readonly medianUs: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** CPU time of this process for each second that was measured. */
  readonly generatorCpuShare: number;
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function openDriver(request: LoadRequest, session: number): Promise<Driver> {
  const { protocol = "iscsi", port } = request;
  const load = { ...request.load, seed: session };
  if (protocol === "nbd") return openNbdDriver(port, load, fail);
  if (protocol === "tcp") {
    const writes = load.kind === "write";
    const shape = {
      requestBytes: ECHO_HEADER_BYTES + (writes ? load.commandBytes : 0),
      replyBytes: ECHO_HEADER_BYTES + (writes ? 0 : load.commandBytes),
      depth: load.queueDepth,
    };
    return openEchoDriver(port, shape, fail);
  }
  const { targetName, digests = false, warmUp, warmUpMs, polls } = request;
  const options = { port, targetName, load, digests, warmUp, warmUpMs, polls };
  return openIscsiDriver({ ...options, onFailure: fail });
}

async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
  const { sessions = 1, warmUp, warmUpMs, measureMs, load } = request;
  const drivers: Driver[] = [];
  for (let session = 0; session < sessions; session += 1) {
    drivers.push(await openDriver(request, session));
  }
  const commandsSoFar = (): number => sumOf(drivers.map(({ counts }) => counts)).commands;
  process.stdout.write(`${STARTED}\n`);
  for (const driver of drivers) driver.start();
  if (warmUp === undefined) await sleep(warmUpMs);
  const commandsBefore = warmUp === undefined ? commandsSoFar() : 0;
  if (warmUp === undefined) for (const driver of drivers) driver.reset();
  const cpuBefore = process.cpuUsage();
  // The timer must not keep the process when the other is first; the sockets do until then.
  const over = sleep(measureMs, undefined, { ref: false });
  await Promise.race([over, Promise.all(drivers.map(({ exhausted }) => exhausted))]);
  const { commands, bytes, elapsedMs, latencies } = sumOf(drivers.map(({ counts }) => counts));
  const cpuMs = cpuMsSince(cpuBefore);
  if (commands === 0) throw new Error("no command was answered in the time");
  await Promise.all(drivers.map((driver) => driver.stop()));
  for (const driver of drivers) driver.close();
  const commandsPerSecond = (commands * 1000) / elapsedMs;
  const report: LoadReport = {
    commands,
    commandsInAll: commandsBefore + commands,
    commandsPerSecond,
    bytesPerSecond: (bytes * 1000) / elapsedMs,
    meanUs: (load.queueDepth * sessions * 1e6) / commandsPerSecond,
    medianUs: latencies.quantileUs(0.5),
    p99Us: latencies.quantileUs(0.99),
    p999Us: latencies.quantileUs(0.999),
    generatorCpuShare: cpuMs / elapsedMs,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

await main().catch(fail);
