import { OperationError, type ReplyOf } from "../protocol.ts";
import { Arguments } from "./arguments.ts";
import { findPool } from "./find.ts";
import type { OperationRequest } from "./operation.ts";
import { describePool, describeVolume } from "./report.ts";
import { MAP_CELLS_DEFAULT, MAP_CELLS_MAX, usageMap } from "./usage-map.ts";

export function listPools({ context, body }: OperationRequest): Promise<ReplyOf<"pool/list">> {
  new Arguments(body, []);
  return Promise.resolve(context.pools().map(({ pool }) => describePool(pool)));
}

/** A pool, its volumes, and where its data lie. Errors: invalid, missing. */
export async function showPool(request: OperationRequest): Promise<ReplyOf<"pool/show">> {
  const { context, body } = request;
  const given = new Arguments(body, ["pool", "cells"]);
  const cells = given.optionalBytes("cells") ?? MAP_CELLS_DEFAULT;
  if (cells < 1 || cells > MAP_CELLS_MAX) {
    throw new OperationError("invalid", `cells must be from 1 to ${MAP_CELLS_MAX}`);
  }
  const { pool } = findPool(context, given.text("pool"));
  return Promise.resolve({
    ...describePool(pool),
    volumes: pool.volumes().map((volume) => describeVolume(context, pool, volume)),
    map: usageMap(pool.state, cells),
  });
}

/** Counts everything anew from the maps and compares. Errors: invalid, missing, failed. */
export async function checkPool(request: OperationRequest): Promise<ReplyOf<"pool/check">> {
  const { context, body, progress } = request;
  const given = new Arguments(body, ["pool"]);
  const { pool } = findPool(context, given.text("pool"));
  progress({ step: "counting", done: 0, total: 1 });
  const findings = await pool.check();
  progress({ step: "counting", done: 1, total: 1 });
  return { isSound: findings.length === 0, findings };
}

/** Changes what is kept of a pool's settings. Errors: invalid, missing, failed. */
export async function setPool(request: OperationRequest): Promise<ReplyOf<"pool/set">> {
  const { context, body } = request;
  const given = new Arguments(body, ["pool", "overcommitMax", "thresholds"]);
  const overcommitMax = given.optionalNumber("overcommitMax");
  const thresholds = given.optionalNumbers("thresholds");
  const { pool } = findPool(context, given.text("pool"));
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
