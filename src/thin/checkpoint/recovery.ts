import type { BlockDevice } from "../../device/block-device.ts";
import { ReadOnlyFilter } from "../../device/read-only-filter.ts";
import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import { IoError } from "../../util/io-error.ts";
import { flush } from "../../util/io-request.ts";
import type { Log } from "../../util/log.ts";
import type { SuperblockCopy } from "../format/superblock-io.ts";
import { Barrier } from "../log/barrier.ts";
import { Health } from "../log/health.ts";
import { Journal } from "../log/journal.ts";
import type { Storage } from "../log/storage.ts";
import { applyRecord } from "../map/apply.ts";
import { deriveSpace } from "../map/derive.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import type { Member } from "./assemble.ts";
import { type Candidate, candidatesOf, generationAfter } from "./candidates.ts";
import { Checkpointer } from "./checkpointer.ts";
import { coverJournal, type JournalEnd } from "./cover-journal.ts";
import { chooseReplay, isBlockLost, type JournalRing, scanJournal } from "./journal-scan.ts";
import { dirtyPagesFor, metadataReserve } from "./metadata-reserve.ts";
import { findOlderPages } from "./older-tree.ts";
import type { OwnerIdentity } from "./owner.ts";
import { replay } from "./replay.ts";
import { SuperblockStore } from "./superblock-store.ts";
import { type LoadedTree, readTree } from "./tree-reader.ts";

export interface RecoveryOptions {
  /** In the pool's order, as `assemble` finds them, and with them the rest of what it finds. */
  readonly devices: readonly BlockDevice[];
  readonly joining?: readonly Member[];
  readonly superblocks: readonly SuperblockCopy[];
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly leafMemoryBytesMax: number;
  /** For tools: nothing at all is written; what comes out can only be looked at. */
  readonly readOnly?: boolean;
  /** Called when a flush or write fails already here: that must outlive the process (rule F). */
  readonly onFailure?: (error: IoError) => void;
  /** Where what has no room below the devices waits for some. */
  readonly storage?: Storage;
  /** Given the pool's health before anything is written, for whoever may have to stop it from outside, also while it is opened. */
  readonly onBegin?: (health: Health) => void;
}

/** What a recovery found and did. */
export interface RecoveryReport {
  /** Of the checkpoint that it began with. */
  readonly generation: number;
  /** That was not the newest: the newest is broken. */
  readonly fellBack: boolean;
  /** The page cache is the one that the last owner wrote to. */
  readonly sameBoot: boolean;
  readonly wasClean: boolean;
  /** Blocks of the journal that were carried out, and that were not. */
  readonly replayed: number;
  readonly discarded: number;
}

export interface Recovered {
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly checkpointer: Checkpointer;
  readonly superblocks: SuperblockStore;
  readonly health: Health;
  readonly report: RecoveryReport;
}

/** The state that a checkpoint and the journal behind it lead to. */
interface Rebuilt {
  readonly candidate: Candidate;
  readonly tree: LoadedTree;
  /** The root of the checkpoint before; 0: there is none to fall back to. */
  readonly rootBlockBefore: number;
  /** The last block that was found, carried out or not. */
  readonly seq: number;
  /** The same, where it and those before it were carried out although a power loss would have discarded some; otherwise null. */
  readonly uncovered: JournalEnd | null;
  readonly sameBoot: boolean;
  readonly replayed: number;
  readonly discarded: number;
}

/**
 * Opens a pool after whatever has happened to it (rules E and K): the best checkpoint, then the journal; at the end a checkpoint in a
 * new epoch, which buries what was not carried out, and names the new owner.
 *
 * @throws {PoolError} corrupt: names `thinlun pool check` and `repair`; missing; unsupported
 * @throws {IoError} a device failed
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const isReadOnly = options.readOnly === true;
  const candidates = candidatesOf(options.superblocks, isReadOnly);
  const [best] = candidates;
  assert(best !== undefined, "there is a superblock");
  const health = new Health(best.superblock.poolName);
  if (options.onFailure !== undefined) health.onEachFailure(options.onFailure);
  options.onBegin?.(health);
  if (!isReadOnly) await flushHead(options, health);
  const found = await rebuildBest(options, candidates);
  const rebuilt = isReadOnly ? found : await coverAll(options, found, health);
  const recovered = putTogether(options, rebuilt, health);
  // Before anything is appended: what was discarded must not come back (rule E).
  if (!isReadOnly) await recovered.checkpointer.run("recovery");
  return recovered;
}

/**
 * After a kill the newest superblock may be in the page cache only, and the checkpoint at the end overwrites places of the one before
 * it, which would be the truth after a power loss.
 */
async function flushHead(options: RecoveryOptions, health: Health): Promise<void> {
  await orFail(health, "a flush failed while the pool was opened", flush(headOf(options)));
}

/** The checkpoint at the end takes places that records have freed: they must stay freed, whatever happens to it (rule K). */
async function coverAll(
  options: RecoveryOptions,
  rebuilt: Rebuilt,
  health: Health,
): Promise<Rebuilt> {
  const { uncovered, candidate, tree } = rebuilt;
  if (uncovered === null) return rebuilt;
  const ring = ringOf(options, candidate);
  const refuse = (): void => {
    if (health.failure !== null) throw health.failure;
  };
  const { devices } = tree.state.addresses;
  const covered = coverJournal(ring, uncovered, devices, refuse, options.storage);
  const message = "the journal could not be made durable while the pool was opened";
  return { ...rebuilt, seq: await orFail(health, message, covered) };
}

/** An error of a device that has to stop the pool, and outlive the process (rule F). */
async function orFail<T>(health: Health, message: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error === health.failure) throw error;
    const failure = new IoError("failed", message, { object: health.poolName, cause: error });
    health.fail(failure);
    throw failure;
  }
}

function ringOf(options: RecoveryOptions, { superblock }: Candidate): JournalRing {
  const { poolUuid, journal } = superblock;
  return { device: headOf(options), poolUuid, ...journal };
}

function headOf({ devices }: RecoveryOptions): BlockDevice {
  const [head] = devices;
  assert(head !== undefined, "a pool has a device");
  return head;
}

async function rebuildBest(
  options: RecoveryOptions,
  candidates: readonly Candidate[],
): Promise<Rebuilt> {
  let first: Error | undefined;
  for (const [index, candidate] of candidates.entries()) {
    try {
      return await rebuild(options, candidate, candidates[index + 1]);
    } catch (error) {
      if (!isBroken(error)) throw error;
      first ??= error;
      const { generation } = candidate.superblock;
      options.log.warn({ error, generation }, "a checkpoint of the pool is broken");
    }
  }
  const name = candidates[0]?.superblock.poolName ?? "";
  throw new PoolError(
    "corrupt",
    `pool "${name}" cannot be opened: ${first?.message ?? "nothing of it is whole"}. Nothing was changed; ` +
      "see thinlun pool check and thinlun pool repair",
    first,
  );
}

/** Whether another checkpoint may do better. */
function isBroken(error: unknown): error is Error {
  if (error instanceof PoolError) return error.kind === "corrupt";
  return error instanceof IoError && error.kind === "medium";
}

async function rebuild(
  options: RecoveryOptions,
  candidate: Candidate,
  older: Candidate | undefined,
): Promise<Rebuilt> {
  const { superblock, isOlder, durableSeq } = candidate;
  const { clock, leafMemoryBytesMax, owner } = options;
  const devices =
    options.readOnly === true
      ? options.devices.map((device) => new ReadOnlyFilter(device))
      : options.devices;
  const tree = await readTree({ devices, superblock, leafMemoryBytesMax, clock });
  const { epoch, checkpointSeq } = superblock;
  const ring = ringOf(options, candidate);
  const scan = await scanJournal(ring, epoch, checkpointSeq);
  const { blocks, hasLaterEpoch, unreadable } = scan;
  if (unreadable.length > 0) {
    const seqs = unreadable.slice(0, 8);
    options.log.warn({ seqs }, `${unreadable.length} blocks of the pool's journal cannot be read`);
  }
  if (hasLaterEpoch) {
    throw new PoolError("corrupt", "the superblock is lost to which the journal belongs");
  }
  const seq = checkpointSeq + blocks.length;
  const sameBoot = superblock.owner.bootId === owner.bootId;
  if (isBlockLost(scan, checkpointSeq, sameBoot) || (isOlder && seq < durableSeq)) {
    throw new PoolError(
      "corrupt",
      `block ${seq + 1} of the journal is broken, and was whole before`,
    );
  }
  // One that asks for more is no way back: what it would need has been written over, or is now.
  const hasRoomFrom = (tailSeq: number): boolean => seq + 1 - tailSeq <= ring.blocks;
  const isWayBack = older !== undefined && hasRoomFrom(older.superblock.checkpointSeq);
  const before = isWayBack ? older : undefined;
  const isUncovered = sameBoot && chooseReplay(blocks, false, durableSeq).discarded > 0;
  if (isUncovered && !hasRoomFrom(checkpointSeq) && options.readOnly !== true) {
    // Journals keep room for barriers: this one is not one of ours.
    throw new PoolError("corrupt", "the journal has no room for a barrier");
  }
  const chosen = chooseReplay(blocks, sameBoot, durableSeq);
  const { replayed, discarded } = chosen;
  try {
    await replay(tree.state, chosen, membersOf(options, devices));
    await deriveSpace(tree.state, await olderPages(options, tree, before));
  } catch (error) {
    tree.state.space.stop();
    throw error;
  }
  const rootBlockBefore = before?.superblock.root.block ?? 0;
  const end = { epoch, seq, crc: blocks.at(-1)?.crc ?? 0 };
  const uncovered = isUncovered ? end : null;
  return { candidate, tree, rootBlockBefore, seq, uncovered, sameBoot, replayed, discarded };
}

/** The first checkpoint of this opening must not overwrite the one that a recovery falls back to if that ends before its time. */
async function olderPages(
  { readOnly, devices }: RecoveryOptions,
  { state, blocks: known }: LoadedTree,
  older: Candidate | undefined,
): Promise<readonly number[]> {
  if (older === undefined || readOnly === true) return [];
  return findOlderPages(older.superblock, { devices, state, known });
}

/** All devices by UUID: the newest superblock names those in its table, their labels the others. */
function membersOf(
  { superblocks, joining = [] }: RecoveryOptions,
  devices: readonly BlockDevice[],
): Map<string, BlockDevice> {
  const members = new Map(joining.map(({ uuid, device }) => [uuid, device] as const));
  const [newest] = candidatesOf(superblocks, true);
  for (const [index, { uuid }] of (newest?.superblock.devices ?? []).entries()) {
    const device = devices[index];
    if (device !== undefined) members.set(uuid, device);
  }
  return members;
}

function putTogether(options: RecoveryOptions, rebuilt: Rebuilt, health: Health): Recovered {
  const { clock, log, owner, superblocks: copies, storage } = options;
  const { candidate, tree, rootBlockBefore, seq, sameBoot, replayed, discarded } = rebuilt;
  const { superblock, isOlder } = candidate;
  const { state, topPages } = tree;
  const { poolUuid, generation } = superblock;
  const reserve = metadataReserve(state.addresses.extentCount, state.geometry);
  state.space.metadataReserveExtents = reserve;
  const [head] = state.addresses.devices;
  assert(head !== undefined, "a pool has a device");
  const journal = new Journal({
    device: head,
    target: targetOf(state),
    health,
    poolUuid,
    ...superblock.journal,
    epoch: superblock.epoch + 1,
    seq,
    prevCrc: 0,
    dirtyPagesMax: dirtyPagesFor(reserve, state.geometry),
    checkpoint: { wanted: () => checkpointer.wanted() },
    ...(storage !== undefined && { storage }),
  });
  const barrier = new Barrier({
    journal,
    health,
    devices: () => state.addresses.devices,
    space: state.space,
    durableSeq: seq,
    clock,
  });
  const superblocks = new SuperblockStore(superblock, owner);
  const checkpointer: Checkpointer = new Checkpointer({
    state,
    journal,
    barrier,
    health,
    superblocks,
    poolUuid,
    clock,
    log,
    ...(storage !== undefined && { storage }),
    generation,
    nextGeneration: generationAfter(superblock, copies),
    // The journal of the old epoch is needed no more once the new one has begun.
    checkpointSeq: seq,
    rootBlock: superblock.root.block,
    rootBlockBefore,
    topPages,
  });
  const wasClean = superblock.clean && replayed === 0;
  const fellBack = isOlder;
  const report = { generation, fellBack, sameBoot, wasClean, replayed, discarded };
  return { state, journal, barrier, checkpointer, superblocks, health, report };
}

function targetOf(state: PoolState): {
  apply: (record: Parameters<typeof applyRecord>[1], seq: number) => void;
  readonly dirtyPages: number;
} {
  return {
    apply: (record, seq) => applyRecord(state, record, seq),
    get dirtyPages(): number {
      return state.leaves.dirtyPages + state.leaves.dirtyNodes;
    },
  };
}
