import { barrier } from "./barrier.ts";
import { checkpoint } from "./checkpoint.ts";
import * as data from "./data-operations.ts";
import {
  BLOCKS_PER_EXTENT,
  DEVICES,
  EXTENTS_PER_VOLUME,
  SECTORS_PER_BLOCK,
  SECTORS_PER_EXTENT,
  VOLUMES_MAX,
} from "./geometry.ts";
import type { Operation } from "./history.ts";
import * as management from "./management-operations.ts";
import type { Oracle, Pending } from "./oracle.ts";
import type { Pool, Steps } from "./pool.ts";

/** What requests work on. */
export interface Context {
  readonly pool: Pool;
  readonly oracle: Oracle;
  /** Makes an id that no volume has had. */
  readonly newId: () => number;
  /** Volumes that exist or that a request in flight may make. */
  expected: number;
}

/** One request from its first step to its acknowledgement, with the oracle looking on. Undefined: nothing to do. */
export function requestOf(context: Context, operation: Operation): Steps | undefined {
  const { pool, oracle } = context;
  const { volumes } = oracle;
  const volume = volumes[operation.volume % volumes.length] ?? 0;
  const extents = oracle.extentsOf(volume);
  const block = operation.block % (extents * BLOCKS_PER_EXTENT);
  const lext = Math.floor(block / BLOCKS_PER_EXTENT);
  switch (operation.kind) {
    case "write":
      return write(context, volume, block, operation.value);
    case "unmap":
      return unmap(context, volume, lext);
    case "read":
      return read(context, volume, block);
    case "flush":
      return flush(context);
    case "fill":
      return data.fill(pool, volume, lext);
    case "discard":
      return management.discard(pool);
    case "advance":
      return management.advance(pool);
    case "checkpoint":
      return pool.isCheckpointing ? undefined : checkpointOnce(pool);
    case "grow":
      return grow(context);
    case "snapshot":
    case "groupSnapshot":
    case "remove":
    case "rollback":
    case "resize":
      return manage(context, operation, volume);
  }
}

function* write(context: Context, volume: number, block: number, value: number): Steps {
  const { pool, oracle } = context;
  const effect = oracle.begin(volume, block * SECTORS_PER_BLOCK, SECTORS_PER_BLOCK, value);
  if (yield* data.write(pool, volume, block, value)) oracle.acknowledge(effect);
  else oracle.abandon(effect);
}

function* unmap({ pool, oracle }: Context, volume: number, lext: number): Steps {
  const effect = oracle.begin(volume, lext * SECTORS_PER_EXTENT, SECTORS_PER_EXTENT, 0);
  if (yield* data.unmap(pool, volume, lext)) oracle.acknowledge(effect);
  else oracle.abandon(effect);
}

function* read({ pool, oracle }: Context, volume: number, block: number): Steps {
  const first = block * SECTORS_PER_BLOCK;
  const effect = oracle.begin(volume, first, SECTORS_PER_BLOCK, undefined);
  const values = yield* data.read(pool, volume, block);
  if (values === undefined) oracle.abandon(effect);
  else oracle.acknowledgeRead(effect, values);
}

function* flush({ pool, oracle }: Context): Steps {
  yield undefined;
  const point = oracle.beginFlush();
  yield* barrier(pool);
  oracle.completeFlush(point);
}

function* checkpointOnce(pool: Pool): Steps {
  yield undefined;
  if (!pool.isCheckpointing) yield* checkpoint(pool);
}

function* grow({ pool, oracle }: Context): Steps {
  yield undefined;
  const point = oracle.beginFlush();
  if (yield* management.grow(pool, DEVICES - 1)) oracle.completeFlush(point);
}

function manage(context: Context, operation: Operation, volume: number): Steps | undefined {
  const pending = pendingOf(context, operation, volume);
  return pending === undefined ? undefined : managed(context, pending);
}

function pendingOf(context: Context, operation: Operation, volume: number): Pending | undefined {
  const { oracle } = context;
  const { volumes } = oracle;
  const other = volumes[operation.other % volumes.length] ?? 0;
  const { kind } = operation;
  if (kind === "remove") return volumes.length < 2 ? undefined : { kind: "delete", volume };
  if (kind === "rollback") return other === volume ? undefined : { kind, volume, source: other };
  if (kind === "resize") {
    const extents = oracle.extentsOf(volume) < EXTENTS_PER_VOLUME ? EXTENTS_PER_VOLUME : 2;
    return { kind, volume, extents };
  }
  const sources = kind === "groupSnapshot" && other !== volume ? [volume, other] : [volume];
  if (context.expected + sources.length > VOLUMES_MAX) return undefined;
  context.expected += sources.length;
  return { kind: "snap", pairs: sources.map((source) => [source, context.newId()] as const) };
}

function* managed({ pool, oracle }: Context, pending: Pending): Steps {
  const point = oracle.beginFlush();
  const effect = oracle.beginManagement(pending);
  const instant = (): void => oracle.instant(pending, effect);
  if (yield* managementSteps(pool, pending, instant)) {
    oracle.completeFlush(point);
    oracle.acknowledgeManagement(pending, effect);
  } else {
    oracle.abandonManagement(pending, effect);
  }
}

function managementSteps(pool: Pool, pending: Pending, instant: () => void): Steps<boolean> {
  switch (pending.kind) {
    case "snap":
      return management.snapshot(pool, pending.pairs, instant);
    case "delete":
      return management.remove(pool, pending.volume);
    case "rollback":
      return management.rollback(pool, pending.volume, pending.source, instant);
    case "resize":
      return management.resize(pool, pending.volume, pending.extents);
  }
}
