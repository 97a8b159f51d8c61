import { OperationError, type ReplyOf } from "../protocol.ts";
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

/** Counts everything anew from the maps and compares. Errors: missing, failed. */
export async function checkPool(
  request: OperationRequest<"pool/check">,
): Promise<ReplyOf<"pool/check">> {
  const { context, body, progress } = request;
  const { pool } = findPool(context, body.pool);
  progress({ step: "counting", done: 0, total: 1 });
  const findings = await pool.check();
  progress({ step: "counting", done: 1, total: 1 });
  return { isSound: findings.length === 0, findings };
}

/** Changes what is kept of a pool's settings. Errors: invalid, missing, failed. */
export async function setPool(request: OperationRequest<"pool/set">): Promise<ReplyOf<"pool/set">> {
  const { context, body } = request;
  const { overcommitMax, thresholds } = body;
  const { pool } = findPool(context, body.pool);
  if (overcommitMax === undefined && thresholds === undefined) {
    throw new OperationError("invalid", `nothing is to be changed of pool ${pool.name}`);
  }
  await pool.setSettings({
    ...(overcommitMax === undefined ? {} : { overcommitMax }),
    ...(thresholds === undefined ? {} : { thresholds }),
  });
  context.log.info({ pool: pool.name, overcommitMax, thresholds }, "pool settings changed");
  return describePool(pool);
}
