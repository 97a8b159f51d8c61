import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { OperationContext } from "./control/operations/operation.ts";
import { operationErrorOf } from "./control/operations/operation-error.ts";
import { perform } from "./control/operations/table.ts";
import { tellUnfinishedWipes, withOutcome } from "./control/operations/unfinished-wipes.ts";
import {
  type ArgumentsOf,
  type OperationName,
  OperationError,
  type Progress,
  type ReplyOf,
} from "./control/protocol.ts";
import type { BlockDevice } from "./device/block-device.ts";
import { FileDevice } from "./device/file-device.ts";
import { checkFormat, formatPool } from "./thin/checkpoint/format-pool.ts";
import { isFault } from "./thin/format/fault.ts";
import { BLOCK_BYTES, EXTENT_BYTES_DEFAULT, isExtentSize } from "./thin/format/geometry.ts";
import { isNewName } from "./thin/format/identity.ts";
import { HEARTBEAT_OFFSET } from "./thin/format/layout.ts";
import { newestOf, readSuperblockCopies } from "./thin/format/superblock-io.ts";
import { backUp } from "./thin/members/backup.ts";
import {
  type ClaimedMembers,
  claimMembers,
  type ClaimMembersOptions,
} from "./thin/members/claim-members.ts";
import { createMembers, type Member, type MemberRequest } from "./thin/members/create-members.ts";
import { systemFailureMark } from "./thin/members/failure-mark.ts";
import { findSignatures } from "./thin/members/find-signatures.ts";
import { OWN_TYPE } from "./thin/members/finding.ts";
import { mayOpen, systemOwner } from "./thin/members/owner.ts";
import { refuseAlive } from "./thin/members/refuse-alive.ts";
import { type FoundPool, scanDevices } from "./thin/members/scan.ts";
import { takeBackMembers, unmarkWipe } from "./thin/members/take-back.ts";
import { Pool } from "./thin/pool/pool.ts";
import { type CheckReport, checkPool } from "./thin/tools/check.ts";
import { dumpPool, type DumpOptions, linesOfDump, type PoolDump } from "./thin/tools/dump.ts";
import { repairPool, type RepairReport } from "./thin/tools/repair.ts";
import { systemClock, systemUptimeMs } from "./util/clock.ts";
import { flush, writeZeroes } from "./util/io-request.ts";
import { type Log, openLog } from "./util/log.ts";
import { systemRandomBytes } from "./util/random.ts";

/*
 * The composition root of commands that work on pools without a daemon. What it throws is OperationErrors.
 */

/** Where the commands keep what they overwrite, and what they are told to lose. */
export interface OverwriteOptions {
  readonly stateDir: string;
  /** Names of what may be destroyed, "<type>:<uuid or '-'>". */
  readonly wipe: readonly string[];
  readonly acceptData: boolean;
}

export interface CreatePoolOptions extends OverwriteOptions {
  readonly name: string;
  readonly devices: readonly string[];
  /** Of image files that have to be made, in bytes; null: all devices are there. */
  readonly sizeBytes: number | null;
  /** Null: the usual ones. */
  readonly extentBytes: number | null;
  /** 0: no limit. */
  readonly overcommitMax: number;
}

export interface CreatedPool {
  readonly name: string;
  readonly uuid: string;
  readonly devices: readonly string[];
  readonly extentBytes: number;
  /** Manifests of the backups of what was wiped. */
  readonly backups: readonly string[];
}

type OnStep = (progress: Progress) => void;

async function asOperation<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw operationErrorOf(error);
  }
}

/** Warnings and worse, for whoever typed the command. */
function commandLog(): Log {
  const write = (line: string): void => void process.stderr.write(line);
  return openLog({ level: "warn", pretty: true, write }).log;
}

async function closeAll(devices: readonly BlockDevice[]): Promise<void> {
  for (const device of devices) await device.close();
}

/** The devices of a pool, for this process alone. Where hosts share it, that takes some seconds, and says so. */
function claim(
  paths: readonly string[],
  options: Pick<ClaimMembersOptions, "owner" | "readOnly">,
): Promise<ClaimedMembers> {
  return claimMembers(paths, {
    ...options,
    clock: systemClock,
    uptimeMs: systemUptimeMs,
    onShared: () => warnShared(paths),
  });
}

function warnShared(devices: readonly string[]): void {
  commandLog().warn({ devices }, "hosts share the pool: looking for signs of life of others");
}

/** Others may have the pool when its superblock says that it is closed, and not before. */
async function letGo(claimed: ClaimedMembers): Promise<void> {
  await claimed.claim?.release();
  await closeAll(claimed.devices);
}

function consentOf({ stateDir, wipe, acceptData }: OverwriteOptions) {
  return { wipe, acceptData, backupDir: join(stateDir, "backup"), time: new Date() };
}

async function makeMembers(
  devices: readonly string[],
  sizeBytes: number | null,
  options: OverwriteOptions,
  beforeWipe: (members: readonly Member[]) => void = () => undefined,
): Promise<Member[]> {
  const { stateDir } = options;
  const context = { pools: () => [], backupDir: join(stateDir, "backup"), log: commandLog() };
  await tellUnfinishedWipes(context);
  const requests = devices.map((path): MemberRequest =>
    sizeBytes === null ? { path } : { path, createBytes: sizeBytes },
  );
  if (options.wipe.length > 0) {
    const owner = await systemOwner();
    await refuseAlive(devices, { owner, clock: systemClock, onShared: () => warnShared(devices) });
  }
  return createMembers(requests, { ...consentOf(options), beforeWipe });
}

/**
 * Makes a pool of devices that were prepared for it, or leaves them as they were before; empty, where data may have been written to them.
 * They are closed then.
 */
async function withMembers<Result>(
  members: readonly Member[],
  work: () => Promise<Result>,
  { isWritten = false }: { readonly isWritten?: boolean } = {},
): Promise<Result> {
  try {
    const result = await work();
    await unmarkWipe(members.map(({ backup }) => backup));
    return result;
  } catch (error) {
    throw withOutcome(error, members, await takeBackMembers(members, isWritten));
  } finally {
    await closeAll(members.map(({ device }) => device));
  }
}

/** Makes an empty pool. Errors: foreign: and what is on the devices; exists, busy, invalid, missing, unsupported, io. */
export function createPool(options: CreatePoolOptions): Promise<CreatedPool> {
  return asOperation(async () => {
    const { name, sizeBytes, overcommitMax } = options;
    const extentBytes = options.extentBytes ?? EXTENT_BYTES_DEFAULT;
    // Before anything is wiped for it.
    if (!isNewName(name)) {
      throw new OperationError("invalid", `${JSON.stringify(name)} is no name for a pool`);
    }
    if (!isExtentSize(extentBytes)) {
      throw new OperationError("invalid", "an extent is a power of two, 16KiB to 1MiB");
    }
    const uuid = randomUUID();
    const format = {
      uuid,
      extentBytes,
      settings: { name, overcommitMax, thresholds: [] },
      randomBytes: systemRandomBytes,
      owner: await systemOwner(),
    };
    const check = (made: readonly Member[]): void => checkFormat(made, format);
    const members = await makeMembers(options.devices, sizeBytes, options, check);
    await withMembers(members, () => formatPool(members, format));
    const backups = members.flatMap(({ backup }) => backup ?? []);
    return { name, uuid, devices: options.devices, extentBytes, backups };
  });
}

export interface ScannedPools {
  readonly pools: readonly FoundPool[];
  /** What could not be read, or is broken. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

/** The pools on devices, in use or not. Reads only. */
export function scanPools(paths: readonly string[]): Promise<ScannedPools> {
  return asOperation(async () => {
    const problems: { path: string; problem: string }[] = [];
    const pools = await scanDevices(paths, {
      onProblem: (path, problem) => {
        problems.push({ path, problem: typeof problem === "string" ? problem : problem.message });
      },
    });
    return { pools, problems };
  });
}

/** Opens devices to look at them, whoever has them. */
async function withReaders<Result>(
  paths: readonly string[],
  work: (devices: readonly BlockDevice[]) => Promise<Result>,
): Promise<Result> {
  return asOperation(async () => {
    const devices: FileDevice[] = [];
    try {
      for (const path of paths) {
        devices.push(await FileDevice.open(path, { readOnly: true, lock: false }));
      }
      return await work(devices);
    } finally {
      await closeAll(devices);
    }
  });
}

/** Checks a pool, in use or not. Writes nothing. Errors: missing, foreign, busy, io. */
export function checkDevices(paths: readonly string[], onStep: OnStep): Promise<CheckReport> {
  const onProgress = (done: number, total: number): void =>
    onStep({ step: "Checking", done, total });
  return withReaders(paths, (devices) => checkPool(devices, { onProgress }));
}

export interface DumpedPool {
  readonly dump: PoolDump;
  readonly lines: Iterable<string>;
}

/** What lies on the devices of a pool. Errors: missing, foreign, io. */
export function dumpDevices(paths: readonly string[], options: DumpOptions): Promise<DumpedPool> {
  return withReaders(paths, async (devices) => {
    const dump = await dumpPool(devices, options);
    return { dump, lines: linesOfDump(dump) };
  });
}

export interface RepairPoolOptions extends OverwriteOptions {
  readonly devices: readonly string[];
  readonly targets: readonly string[];
  /** Of image files that have to be made. */
  readonly targetBytes: number | null;
}

/**
 * Saves what is left of a pool into a new one on other devices; the old one is only read. Where it fails, or the signal stops it, nothing of
 * the new one is left. Errors: missing, busy, foreign, space, io.
 */
export function repairDevices(
  options: RepairPoolOptions,
  { onProgress, signal }: { readonly onProgress: OnStep; readonly signal?: AbortSignal },
): Promise<RepairReport> {
  return asOperation(async () => {
    const owner = await systemOwner();
    const { devices: sources } = await claim(options.devices, { owner, readOnly: true });
    try {
      const check = (): void => signal?.throwIfAborted();
      const targets = await makeMembers(options.targets, options.targetBytes, options, check);
      const work = (): Promise<RepairReport> =>
        repairPool(sources, {
          targets,
          uuid: randomUUID(),
          randomBytes: systemRandomBytes,
          owner,
          bootId: owner.bootId,
          onStep: (step, share) => {
            const name = step === "scan" ? "Scanning" : "Copying";
            onProgress({ step: name, done: share, total: 1 });
            signal?.throwIfAborted();
          },
        });
      return await withMembers(targets, work, { isWritten: true });
    } finally {
      await closeAll(sources);
    }
  });
}

export interface DeletedPool {
  readonly uuid: string;
  readonly backups: readonly string[];
}

/**
 * Takes a pool's superblocks away, after a backup of them; nothing else is written. The pool must not be open, and `wipe` must name
 * it. Errors: invalid, missing, busy, foreign, io.
 */
export function deletePool(
  paths: readonly string[],
  options: OverwriteOptions,
): Promise<DeletedPool> {
  return asOperation(async () => {
    const owner = await systemOwner();
    const { devices, claim: sharedClaim } = await claim(paths, { owner });
    try {
      const [found, ...others] = await scanDevices(paths);
      if (found === undefined) {
        throw new OperationError("missing", `there is no pool on ${paths.join(", ")}`);
      }
      mayOpen(found.owner, owner);
      const name = `${OWN_TYPE}:${found.uuid}`;
      if (others.length > 0 || !options.wipe.every((wiped) => wiped === name)) {
        throw new OperationError("invalid", `the devices hold ${name} "${found.name}" and others`);
      }
      if (options.wipe.length === 0) {
        throw new OperationError(
          "foreign",
          `pool "${found.name}" and all its volumes would be lost; to delete it give --wipe ${name}`,
        );
      }
      for (const [index, device] of devices.entries()) {
        await checkIsOf(found, device, paths[index] ?? "");
      }
      // The last beat, before the block is cleared.
      await sharedClaim?.release();
      const backups: string[] = [];
      for (const [index, device] of devices.entries()) {
        backups.push(await removeSuperblocks(device, paths[index] ?? "", options));
      }
      return { uuid: found.uuid, backups };
    } finally {
      await sharedClaim?.release();
      await closeAll(devices);
    }
  });
}

/** Nothing is written to any device before all of them are seen to be the pool's: a letter is soon mistyped. */
async function checkIsOf(
  { uuid, name }: FoundPool,
  device: BlockDevice,
  path: string,
): Promise<void> {
  const newest = newestOf(await readSuperblockCopies(device));
  if (newest?.poolUuid === uuid) return;
  throw new OperationError(
    "invalid",
    `${path} is none of the devices of the pool "${name}" (${uuid}), or its superblocks are damaged: nothing was written`,
  );
}

async function removeSuperblocks(
  device: BlockDevice,
  path: string,
  { stateDir }: OverwriteOptions,
): Promise<string> {
  const findings = await findSignatures(device);
  const folder = join(stateDir, "backup");
  const manifest = await backUp({ device, path, findings, folder, time: new Date() });
  for (const { offsetBytes, superblock } of await readSuperblockCopies(device)) {
    if (isFault(superblock) && superblock.kind === "absent") continue;
    await writeZeroes(device, offsetBytes, BLOCK_BYTES);
  }
  await writeZeroes(device, HEARTBEAT_OFFSET, BLOCK_BYTES);
  await flush(device);
  return manifest;
}

/** A pool that a command has opened for itself. */
export interface OfflinePool {
  readonly name: string;
  call<Name extends OperationName>(
    name: Name,
    body: ArgumentsOf<Name>,
    options?: {
      readonly payload?: Uint8Array;
      readonly onProgress?: OnStep;
      readonly signal?: AbortSignal;
    },
  ): Promise<ReplyOf<Name>>;
  /** Flushes everything and lets go of the devices. */
  close(): Promise<void>;
}

/** Opens the pool on these devices as a daemon would. Errors: missing, busy: a daemon has it; foreign, corrupt, failed, io. */
export function openPool(paths: readonly string[], stateDir: string): Promise<OfflinePool> {
  return asOperation(async () => {
    const log = commandLog();
    const owner = await systemOwner();
    const claimed = await claim(paths, { owner });
    try {
      const failureMark = systemFailureMark();
      const { devices, claim: shared } = claimed;
      const pool = await Pool.open({
        devices,
        owner,
        clock: systemClock,
        log,
        failureMark,
        onLost: (listener) => shared?.onLost(listener),
      });
      return offlinePool(pool, claimed, { stateDir, log });
    } catch (error) {
      await letGo(claimed);
      throw error;
    }
  });
}

function offlinePool(
  pool: Pool,
  claimed: ClaimedMembers,
  { stateDir, log }: { readonly stateDir: string; readonly log: Log },
): OfflinePool {
  const adopted: BlockDevice[] = [];
  const adopt = (device: BlockDevice): void => void adopted.push(device);
  const direct = claimed.claim !== null;
  const context: OperationContext = {
    // A command is told the devices each time.
    pools: () => [{ pool, direct, adopt, remember: () => Promise.resolve() }],
    owner: systemOwner,
    clock: systemClock,
    isServed: () => false,
    makeUuid: randomUUID,
    backupDir: join(stateDir, "backup"),
    now: () => new Date(),
    log,
  };
  return {
    name: pool.name,
    call: (name, body, { payload = new Uint8Array(0), onProgress, signal } = {}) =>
      asOperation(() =>
        perform(name, {
          context,
          body,
          payload,
          progress: onProgress ?? (() => undefined),
          ...(signal === undefined ? {} : { signal, settle: () => signal.throwIfAborted() }),
        }),
      ),
    close: () =>
      asOperation(async () => {
        try {
          await pool.close();
        } finally {
          await letGo(claimed);
          await closeAll(adopted);
        }
      }),
  };
}
