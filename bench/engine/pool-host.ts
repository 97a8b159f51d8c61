import { randomUUID } from "node:crypto";
import { AccessList } from "../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import { IscsiServer } from "../../src/iscsi/server.ts";
import { defaultTargetSettings, IscsiTarget } from "../../src/iscsi/target.ts";
import { LogicalUnit } from "../../src/scsi/logical-unit.ts";
import { TargetDevice } from "../../src/scsi/target-device.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { systemClock } from "../../src/util/clock.ts";
import { silentLog } from "../../src/util/log.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { EngineVolume } from "../../src/volume/engine/engine-volume.ts";
import { LoopMeter, queuedMs } from "../support/main-thread.ts";
import { cpuMsSince } from "../support/statistics.ts";
import { TARGET_NAME } from "../support/targets.ts";
import { openPool } from "./thin-pool.ts";

/** A process that opens a pool, serves a volume of it as LUN 0, and does and times what it is told. */

/** As JSON in the first argument. */
export interface HostRequest {
  readonly image: string;
  readonly volume: string;
}

/** The first message to the parent. */
export interface HostReady {
  readonly port: number;
  readonly openMs: number;
  /** CPU time of it, of all threads: what it would take on a machine that does nothing else, nearly. */
  readonly openCpuMs: number;
  /** Resident memory of the process, before the pool was opened and after, in bytes. */
  readonly rssBeforeBytes: number;
  readonly rssBytes: number;
  /** What the engine says that its maps and counts take, for what is mapped. */
  readonly engineBytes: number;
  /** What all volumes have mapped, in bytes; what two of them share counts twice, as their maps do where they have been written over. */
  readonly mappedBytes: number;
}

export type HostOperation =
  | { readonly kind: "snapshot" | "clone"; readonly source: string; readonly name: string }
  | { readonly kind: "rollback"; readonly volume: string; readonly source: string }
  | { readonly kind: "delete"; readonly name: string }
  /** Stops serving its volume, deletes it, and waits until its space is free again. */
  | { readonly kind: "delete-served" }
  | { readonly kind: "close" };

/** The answer to an operation. */
export interface HostAnswer {
  readonly elapsedMs: number;
  /** CPU time of the process meanwhile, clients' commands included. */
  readonly cpuMs: number;
  /** Of the time, how long the process was ready to run and others had the CPUs. */
  readonly queuedMs: number;
  /** The longest turn of the event loop meanwhile, and since the operation before, without such time. */
  readonly turnMs: number;
  /** Of "delete-served": until the space was free. */
  readonly freeMs?: number;
  readonly error?: string;
}

async function serve(volume: EngineVolume): Promise<number> {
  const server = new IscsiServer({
    log: silentLog,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    poll: "auto",
    discovery: {
      enabled: false,
      access: new AccessList(),
      authentication: new AuthenticationPolicy(),
      offers: DEFAULT_OFFERS,
    },
  });
  const device = new TargetDevice(TARGET_NAME);
  const nowMs = (): number => systemClock.nowMs();
  device.attach(0, new LogicalUnit({ volume, blockBytes: 512, nowMs }));
  server.addTarget(new IscsiTarget(TARGET_NAME, device, defaultTargetSettings()));
  return (await server.listen({ address: "127.0.0.1", port: 0, group: 1, advertise: null })).port;
}

function collect(): void {
  globalThis.gc?.();
}

async function carryOut(
  operation: HostOperation,
  pool: Pool,
  served: EngineVolume,
): Promise<Pick<HostAnswer, "freeMs">> {
  switch (operation.kind) {
    case "snapshot":
    case "clone": {
      const source = pool.volume(operation.source);
      const readOnly = operation.kind === "snapshot";
      await pool.snapshot([{ source, name: operation.name, uuid: randomUUID(), readOnly }]);
      return {};
    }
    case "rollback":
      await pool.rollback(pool.volume(operation.volume), pool.volume(operation.source));
      return {};
    case "delete":
      await pool.delete(pool.volume(operation.name));
      return {};
    case "delete-served": {
      await served.close();
      const startedMs = performance.now();
      await pool.delete(served.thin);
      const deletedMs = performance.now() - startedMs;
      while (!isFree(pool)) await new Promise((resolve) => setTimeout(resolve, 10));
      return { freeMs: performance.now() - startedMs - deletedMs };
    }
    case "close":
      await pool.close();
      return {};
  }
}

/** Nothing but metadata is in use any more. */
function isFree(pool: Pool): boolean {
  const { dataBytes, quarantinedBytes } = pool.usage();
  return dataBytes === 0 && quarantinedBytes === 0;
}

async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? "") as HostRequest;
  collect();
  const rssBeforeBytes = process.memoryUsage.rss();
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const { pool } = await openPool(request.image);
  const openMs = performance.now() - startedMs;
  const openCpuMs = cpuMsSince(cpu);
  const thin = pool.volume(request.volume);
  const served = new EngineVolume({
    pool,
    thin,
    readOnly: false,
    rotational: false,
    onClosed: () => undefined,
  });
  const port = await serve(served);
  collect();
  const { leaves, space, volumes } = pool.state;
  // Counts and bitmaps are as large as the pool, whatever of it is mapped.
  const poolShare = served.capacityBytes / pool.usage().capacityBytes;
  let engineBytes = leaves.memoryBytes + space.memoryBytes * poolShare;
  for (const { map } of volumes.values()) engineBytes += map.leafIds.byteLength;
  let mappedBytes = 0;
  for (const { mappedExtents } of volumes.values()) mappedBytes += mappedExtents * pool.extentBytes;
  const rssBytes = process.memoryUsage.rss();
  const ready: HostReady = {
    port,
    openMs,
    openCpuMs,
    rssBeforeBytes,
    rssBytes,
    engineBytes,
    mappedBytes,
  };
  const meter = new LoopMeter();
  process.on("message", (operation: HostOperation) => {
    const beganMs = performance.now();
    const cpu = process.cpuUsage();
    const queuedBeforeMs = queuedMs();
    void carryOut(operation, pool, served)
      .catch((error: unknown) => ({ error: String(error) }))
      .then((answer) => {
        const elapsedMs = performance.now() - beganMs;
        const turnMs = meter.takeLongestMs();
        const queued = queuedMs() - queuedBeforeMs;
        const times = { elapsedMs, cpuMs: cpuMsSince(cpu), queuedMs: queued, turnMs };
        process.send?.({ ...times, ...answer }, () => {
          if (operation.kind === "close") process.exit();
        });
      });
  });
  process.send?.(ready);
}

await main();
