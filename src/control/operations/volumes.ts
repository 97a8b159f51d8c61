import { OperationError, type ReplyOf, type VolumeReport } from "../protocol.ts";
import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { findPool, findPools, findVolume } from "./find.ts";
import { actorOf } from "./operated-daemon.ts";
import type { OperationContext, OperationRequest } from "./operation.ts";
import { describeVolume } from "./report.ts";
import { servedNames, servedPlaces } from "./served.ts";

export async function listVolumes({
  context,
  body,
}: OperationRequest<"volume/list" | "snapshot/list">): Promise<readonly VolumeReport[]> {
  const pools = findPools(context, body.pool);
  return Promise.resolve(
    pools.flatMap(({ pool }) =>
      pool.volumes().map((volume) => describeVolume(context, pool, volume)),
    ),
  );
}

/** Errors: invalid, missing. */
export async function showVolume({
  context,
  body,
}: OperationRequest<"volume/show">): Promise<VolumeReport> {
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  return Promise.resolve(describeVolume(context, operated.pool, volume));
}

/** Errors: invalid, missing, exists, space, failed. */
export async function createVolume({
  context,
  body,
}: OperationRequest<"volume/create">): Promise<VolumeReport> {
  const { reservedBytes, quotaBytes } = body;
  const spec = {
    name: body.volume,
    uuid: context.makeUuid(),
    sizeBytes: body.sizeBytes,
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  };
  const { pool } = findPool(context, body.pool);
  const volume = await pool.createVolume(spec);
  context.log.info({ pool: pool.name, volume: spec.name, uuid: spec.uuid }, "volume created");
  return describeVolume(context, pool, volume);
}

/** Also while it is served. Errors: invalid, missing, space, failed. */
export async function resizeVolume(
  request: OperationRequest<"volume/resize">,
): Promise<VolumeReport> {
  const { context, body } = request;
  const { sizeBytes, shrink = false } = body;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const from = volume.capacityBytes;
  await pool.resize(volume, sizeBytes, shrink);
  const { name } = volume.attributes;
  context.log.info({ pool: pool.name, volume: name, from, to: sizeBytes }, "volume resized");
  await keepSize(request, volume);
  return describeVolume(context, pool, volume);
}

/** Where a command has asked for a size, the new one is asked for from now on: a start must not grow what was shrunk. */
async function keepSize(
  request: OperationRequest<"volume/resize">,
  volume: ThinVolume,
): Promise<void> {
  const { context, body } = request;
  const names = servedNames(context, volume);
  await context.daemon?.plane.change(actorOf(request), "volume/resize", ({ inventory }) => ({
    ...inventory,
    volumes: new Map(
      [...inventory.volumes].map(([name, config]) =>
        names.includes(name) && config.driver !== "memory" && config.sizeBytes !== null
          ? [name, { ...config, sizeBytes: body.sizeBytes }]
          : [name, config],
      ),
    ),
  }));
}

function refuseServed(context: OperationContext, pool: string, volume: ThinVolume): void {
  const places = servedPlaces(context, volume);
  if (places === "") return;
  throw new OperationError(
    "busy",
    `volume ${volume.attributes.name} of pool ${pool} is ${places}: take it off there first`,
  );
}

/** Errors: invalid, missing, exists, busy: the configuration names it; failed. */
export async function renameVolume({
  context,
  body,
}: OperationRequest<"volume/rename">): Promise<VolumeReport> {
  const { name } = body;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const before = volume.attributes.name;
  refuseServed(context, pool.name, volume);
  if (context.isServed(volume)) {
    throw new OperationError(
      "busy",
      `volume ${before} of pool ${pool.name} is open under this name: take it out of the configuration, or of what was applied, first`,
    );
  }
  await pool.rename(volume, name);
  context.log.info({ pool: pool.name, volume: before, name }, "volume renamed");
  return describeVolume(context, pool, volume);
}

/** Reservation, quota, write protection. Errors: invalid, missing, space, failed. */
export async function setVolume({
  context,
  body,
}: OperationRequest<"volume/set">): Promise<VolumeReport> {
  const { reservedBytes, quotaBytes, readOnly } = body;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const { name } = volume.attributes;
  if (reservedBytes === undefined && quotaBytes === undefined && readOnly === undefined) {
    throw new OperationError("invalid", `nothing is to be changed of volume ${name}`);
  }
  await pool.setAttributes(volume, {
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(readOnly === undefined ? {} : { readOnly }),
  });
  const changes = { reservedBytes, quotaBytes, readOnly };
  context.log.info({ pool: pool.name, volume: name, ...changes }, "volume changed");
  return describeVolume(context, pool, volume);
}

/** What commands have named, and no LUN leads to, is not open for anybody. What the configuration has stays open. */
async function letGo(
  request: OperationRequest<"volume/delete" | "snapshot/delete">,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const operation = "volume/delete";
  await request.context.daemon?.plane.change(actorOf(request), operation, ({ inventory }) => ({
    ...inventory,
    volumes: new Map([...inventory.volumes].filter(([name]) => !names.includes(name))),
  }));
}

/** Another volume may have its names: it is then no disk that was there before and is missing. */
async function forgetNames(
  { daemon }: OperationContext,
  names: readonly string[],
  uuid: string,
): Promise<void> {
  if (daemon === undefined) return;
  const { volumeIdentities } = daemon;
  for (const name of new Set(names)) {
    const isIt = volumeIdentities.wasMade(name) && (await volumeIdentities.uuidOf(name)) === uuid;
    if (isIt) await volumeIdentities.forget(name);
  }
}

/** Errors: invalid, missing, busy, failed. */
export async function deleteVolume(
  request: OperationRequest<"volume/delete" | "snapshot/delete">,
): Promise<ReplyOf<"volume/delete">> {
  const { context, body } = request;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const { name, uuid } = volume.attributes;
  refuseServed(context, pool.name, volume);
  const names = servedNames(context, volume);
  await letGo(request, names);
  await pool.delete(volume);
  await forgetNames(context, [...names, name, `${pool.name}/${name}`], uuid);
  context.log.info({ pool: pool.name, volume: name, uuid }, "volume deleted");
  return {};
}
