import { fieldChanges } from "../audit.ts";
import { OperationError, type ReplyOf } from "../protocol.ts";
import { audited } from "./audited.ts";
import { findPool } from "./find.ts";
import type { OperationRequest } from "./operation.ts";
import { describePool, describeVolume } from "./report.ts";
import { MAP_CELLS_DEFAULT, usageMap } from "./usage-map.ts";

export function listPools({
  context,
}: OperationRequest<"pool/list">): Promise<ReplyOf<"pool/list">> {
  return Promise.resolve(context.pools().map(({ pool }) => describePool(pool)));
}

/** A pool, its volumes, and where its data lie. Errors: missing. */
export async function showPool(
  request: OperationRequest<"pool/show">,
): Promise<ReplyOf<"pool/show">> {
  const { context, body } = request;
  const { pool } = findPool(context, body.pool);
  return Promise.resolve({
    ...describePool(pool),
    volumes: pool.volumes().map((volume) => describeVolume(context, pool, volume)),
    map: usageMap(pool.state, body.cells ?? MAP_CELLS_DEFAULT),
  });
}

/** Counts everything anew from the maps and compares; can be stopped. Errors: missing, failed. */
export async function checkPool(
  request: OperationRequest<"pool/check">,
): Promise<ReplyOf<"pool/check">> {
  const { context, body, progress, signal } = request;
  const { pool } = findPool(context, body.pool);
  const step = "counting";
  progress({ step, done: 0, total: 1 });
  signal?.throwIfAborted();
  try {
    const findings = await pool.check({
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) => progress({ step, done, total }),
    });
    progress({ step, done: 1, total: 1 });
    return { isSound: findings.length === 0, findings };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Changes what is kept of a pool's settings. Errors: invalid, missing, failed. */
export async function setPool(request: OperationRequest<"pool/set">): Promise<ReplyOf<"pool/set">> {
  const { context, body } = request;
  const { overcommitMax, thresholds } = body;
  const { pool } = findPool(context, body.pool);
  if (overcommitMax === undefined && thresholds === undefined) {
    throw new OperationError("invalid", `nothing is to be changed of pool ${pool.name}`);
  }
  const { overcommitMax: limit, thresholds: shares } = pool.state.settings;
  await pool.setSettings({
    ...(overcommitMax === undefined ? {} : { overcommitMax }),
    ...(thresholds === undefined ? {} : { thresholds }),
  });
  const before = { overcommitMax: limit, thresholds: shares };
  const fields = fieldChanges(before, { overcommitMax, thresholds });
  audited(request, "pool/set", [{ action: "change", kind: "pool", name: pool.name, fields }]);
  return describePool(pool);
}
