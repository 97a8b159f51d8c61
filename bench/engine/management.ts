import { join } from "node:path";
import { FileDevice } from "../../src/device/file-device.ts";
import type { Load } from "../../src/initiator/load-generator.ts";
import { checkPool } from "../../src/thin/tools/check.ts";
import { fileSystemOf } from "../support/file-system.ts";
import { measure } from "../support/measure.ts";
import { cpuMsSince, median, quantile } from "../support/statistics.ts";
import { FULL_VOLUME, makeEmptyPool, makeFullPool } from "./full-pool.ts";
import { HostedPool } from "./hosted-pool.ts";
import { EXTENT_BYTES } from "./thin-pool.ts";
import type { HostAnswer } from "./pool-host.ts";
import type { Report } from "./report.ts";

/**
 * What a pool with 1 TiB mapped costs: the operations of a volume while clients write, memory, opening after a kill, the check.
 */

const TIB: number = 2 ** 40;
const MIB = 1024 * 1024;

const OPERATION_MS_MAX = 10;
const MEMORY_BYTES_MAX: number = 90 * MIB;
const OPEN_MS_MAX = 1000;
const CHECK_MS_MAX = 2000;

const PAUSE_MS = 50;

const WARM_UP_CYCLES = 10;

/** More than the space of a volume of 1 TiB takes to be free. */
const SETTLE_MS = 5000;

/** Of each operation: fewer would say nothing of the slowest ones. */
const OPERATIONS_MIN = 50;

export interface ManagementOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
}

/** Random 4 KiB writes over all of it. */
const LOAD: Load = {
  kind: "write",
  pattern: "random",
  lun: 0,
  commandBytes: 4096,
  queueDepth: 32,
  blockBytes: 512,
  capacityBlocks: TIB / 512,
  toleratesChecks: true,
};

export async function benchManagement(report: Report, options: ManagementOptions): Promise<void> {
  const { folder } = options;
  report.heading(`1 TiB mapped, 64 KiB extents, on ${fileSystemOf(folder)}`);
  const emptyImage = join(folder, "empty-pool");
  const image = join(folder, "full-pool");
  await makeEmptyPool(emptyImage, TIB);
  await makeFullPool(image, TIB);
  await benchMemory(report, emptyImage, image);
  await benchCheck(report, image, "as it was filled");
  const host = await HostedPool.start({ image, volume: FULL_VOLUME });
  try {
    await benchOperations(report, host, options);
  } finally {
    await host.kill();
  }
  await benchOpenAfterKill(report, image, options);
  await benchCheck(report, image, "written all over since a snapshot that is kept");
  await benchDeleteAll(report, image, options);
}

/** What is resident differs by some MiB from one start to the next: garbage, and the compiler's work. */
const MEMORY_SAMPLES = 5;

async function benchMemory(report: Report, emptyImage: string, image: string): Promise<void> {
  const emptyBytes: number[] = [];
  const fullBytes: number[] = [];
  let engineBytes = 0;
  for (let sample = 0; sample < MEMORY_SAMPLES; sample += 1) {
    const empty = await HostedPool.start({ image: emptyImage, volume: FULL_VOLUME });
    await empty.kill();
    emptyBytes.push(empty.ready.rssBytes);
    const full = await HostedPool.start({ image, volume: FULL_VOLUME });
    await full.kill();
    fullBytes.push(full.ready.rssBytes);
    ({ engineBytes } = full.ready);
  }
  const differenceBytes = median(fullBytes) - median(emptyBytes);
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
  report.add({
    group: "memory",
    name: "memory for each TiB",
    figures: `${mib(differenceBytes)} more resident than an empty pool of the size, medians of ${MEMORY_SAMPLES}; the engine counts ${mib(engineBytes)}`,
    bar: `<= ${mib(MEMORY_BYTES_MAX)}`,
    isMet: Math.max(differenceBytes, engineBytes) <= MEMORY_BYTES_MAX,
    values: { differenceBytes, engineBytes, emptyBytes, fullBytes },
  });
}

type Timed = "snapshot" | "clone" | "rollback" | "delete";

type Times = Record<Timed, HostAnswer[]>;

async function benchOperations(
  report: Report,
  host: HostedPool,
  { rounds, seconds }: ManagementOptions,
): Promise<void> {
  const idle = newTimes();
  while (idle.snapshot.length < OPERATIONS_MIN) await runCycle(host, idle);
  addOperations(report, "idle", idle);
  const loaded = newTimes();
  const rates: number[] = [];
  while (loaded.snapshot.length < OPERATIONS_MIN) {
    const state = { isOver: false };
    const load = measure(host.target, LOAD, { seconds: rounds * seconds }).finally(() => {
      state.isOver = true;
    });
    while (!state.isOver) await runCycle(host, loaded);
    rates.push((await load).commandsPerSecond);
  }
  addOperations(report, `${median(rates).toFixed(0)} writes/s`, loaded);
}

function newTimes(): Times {
  return { snapshot: [], clone: [], rollback: [], delete: [] };
}

/** Each operation on the volume that is being written, or on a copy of it. */
async function runCycle(host: HostedPool, times: Times): Promise<void> {
  const timed = async (name: Timed, operation: Parameters<HostedPool["run"]>[0]): Promise<void> => {
    times[name].push(await host.run(operation));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  };
  await timed("snapshot", { kind: "snapshot", source: FULL_VOLUME, name: "snapshot" });
  await timed("clone", { kind: "clone", source: FULL_VOLUME, name: "clone" });
  await timed("rollback", { kind: "rollback", volume: FULL_VOLUME, source: "snapshot" });
  await timed("delete", { kind: "delete", name: "clone" });
  await timed("delete", { kind: "delete", name: "snapshot" });
}

function addOperations(report: Report, load: string, times: Times): void {
  for (const [name, answers] of Object.entries(times)) {
    const elapsedMs = answers.map((answer) => answer.elapsedMs);
    const ownMs = answers.map((answer) => answer.elapsedMs - answer.queuedMs);
    const cpuMs = median(answers.map((answer) => answer.cpuMs));
    const middle = median(elapsedMs);
    report.add({
      group: "operations",
      name: `${name}, ${load}`,
      figures:
        `${inWords(elapsedMs)} of ${answers.length}; without waiting for a CPU ${inWords(ownMs)}; ` +
        `CPU ${cpuMs.toFixed(1)} ms`,
      bar: `median <= ${OPERATION_MS_MAX} ms`,
      isMet: middle <= OPERATION_MS_MAX,
      values: { answers },
    });
  }
  const turnsMs = Object.values(times).flatMap((answers) => answers.map(({ turnMs }) => turnMs));
  report.add({
    group: "operations",
    name: `longest turn between operations, ${load}`,
    figures: `${inWords(turnsMs)} of ${turnsMs.length}, without waiting for a CPU`,
    isMet: null,
    values: { turnsMs },
  });
}

function inWords(ms: readonly number[]): string {
  const most = Math.max(...ms).toFixed(1);
  return `${median(ms).toFixed(1)} ms (99 % within ${quantile(ms, 0.99).toFixed(1)}, all within ${most})`;
}

async function benchOpenAfterKill(
  report: Report,
  image: string,
  { rounds, seconds }: ManagementOptions,
): Promise<void> {
  const openMs: number[] = [];
  const openCpuMs: number[] = [];
  const mappedTib: number[] = [];
  let host = await HostedPool.start({ image, volume: FULL_VOLUME });
  for (let round = 0; round < rounds; round += 1) {
    const load = measure(host.target, LOAD, { seconds: seconds + 5 }).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    await host.run({ kind: "snapshot", source: FULL_VOLUME, name: `kept-${round}` });
    // One stays: with each that is kept and written over, the pool has the maps of another TiB.
    if (round > 0) await host.run({ kind: "delete", name: `kept-${round - 1}` });
    await host.kill();
    await load;
    host = await HostedPool.start({ image, volume: FULL_VOLUME });
    const mapped = host.ready.mappedBytes / TIB;
    mappedTib.push(mapped);
    openMs.push(host.ready.openMs / mapped);
    openCpuMs.push(host.ready.openCpuMs / mapped);
  }
  await host.kill();
  report.add({
    group: "open",
    name: "open after SIGKILL under writes, for each TiB that volumes have mapped",
    figures: `${median(openMs).toFixed(0)} ms (${Math.min(...openMs).toFixed(0)} to ${Math.max(...openMs).toFixed(0)}), CPU time ${median(openCpuMs).toFixed(0)} ms, of ${median(mappedTib).toFixed(1)} TiB with one snapshot`,
    bar: `< ${OPEN_MS_MAX} ms`,
    isMet: median(openMs) < OPEN_MS_MAX,
    values: { openMs, openCpuMs, mappedTib },
  });
}

async function benchCheck(report: Report, image: string, how: string): Promise<void> {
  const device = await FileDevice.open(image, { readOnly: true });
  try {
    const startedMs = performance.now();
    const cpu = process.cpuUsage();
    const { isSound, findings, counts } = await checkPool([device]);
    const mapped = ((counts?.mappedEntries ?? 0) * EXTENT_BYTES) / TIB;
    const elapsedMs = (performance.now() - startedMs) / mapped;
    const cpuMs = cpuMsSince(cpu) / mapped;
    if (!isSound) throw new Error(`the pool is not sound: ${JSON.stringify(findings)}`);
    report.add({
      group: "check",
      name: `check, for each TiB that volumes have mapped, ${how}`,
      figures: `${elapsedMs.toFixed(0)} ms, CPU time ${cpuMs.toFixed(0)} ms, of ${mapped.toFixed(1)} TiB in ${counts?.metadataPages} map pages`,
      bar: `< ${CHECK_MS_MAX} ms`,
      isMet: elapsedMs < CHECK_MS_MAX,
      values: { elapsedMs, cpuMs, counts },
    });
  } finally {
    await device.close();
  }
}

/** The volume itself, when nothing shares its extents any more. */
async function benchDeleteAll(
  report: Report,
  image: string,
  { rounds }: ManagementOptions,
): Promise<void> {
  const host = await HostedPool.start({ image, volume: FULL_VOLUME });
  try {
    await host.run({ kind: "delete", name: `kept-${rounds - 1}` });
    // It is one delete: what a process does for the first time is none of it.
    const warmUp = newTimes();
    while (warmUp.snapshot.length < WARM_UP_CYCLES) await runCycle(host, warmUp);
    // What only it had is freed in the background: that is none of the volume's.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const { elapsedMs, freeMs = Number.NaN } = await host.run({ kind: "delete-served" });
    const deleteMs = elapsedMs - freeMs;
    report.add({
      group: "operations",
      name: "delete of the whole TiB, idle",
      figures: `${deleteMs.toFixed(1)} ms, its space is free ${freeMs.toFixed(0)} ms later`,
      bar: `<= ${OPERATION_MS_MAX} ms`,
      isMet: deleteMs <= OPERATION_MS_MAX,
      values: { deleteMs, freeMs },
    });
  } finally {
    await host.kill();
  }
}
