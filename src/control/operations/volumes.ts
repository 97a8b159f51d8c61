import { OperationError, type ReplyOf, type VolumeReport } from "../protocol.ts";
import { Arguments } from "./arguments.ts";
import { findPool, findPools, findVolume } from "./find.ts";
import type { OperationRequest } from "./operation.ts";
import { describeVolume } from "./report.ts";

const VOLUME = ["pool", "volume"] as const;

export async function listVolumes({
  context,
  body,
}: OperationRequest): Promise<readonly VolumeReport[]> {
  const given = new Arguments(body, ["pool"]);
  const pools = findPools(context, given.optionalText("pool"));
  return Promise.resolve(
    pools.flatMap(({ pool }) =>
      pool.volumes().map((volume) => describeVolume(context, pool, volume)),
    ),
  );
}

/** Errors: invalid, missing. */
export async function showVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, VOLUME);
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  return Promise.resolve(describeVolume(context, operated.pool, volume));
}

/** Errors: invalid, missing, exists, space, failed. */
export async function createVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, [...VOLUME, "sizeBytes", "reservedBytes", "quotaBytes"]);
  const reservedBytes = given.optionalBytes("reservedBytes");
  const quotaBytes = given.optionalBytes("quotaBytes");
  const spec = {
    name: given.text("volume"),
    uuid: context.makeUuid(),
    sizeBytes: given.bytes("sizeBytes"),
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  };
  const { pool } = findPool(context, given.text("pool"));
  const volume = await pool.createVolume(spec);
  context.log.info({ pool: pool.name, volume: spec.name, uuid: spec.uuid }, "volume created");
  return describeVolume(context, pool, volume);
}

/** Also while it is served. Errors: invalid, missing, space, failed. */
export async function resizeVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, [...VOLUME, "sizeBytes", "shrink"]);
  const [sizeBytes, shrink] = [given.bytes("sizeBytes"), given.flag("shrink")];
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  const { pool } = operated;
  const from = volume.capacityBytes;
  await pool.resize(volume, sizeBytes, shrink);
  const { name } = volume.attributes;
  context.log.info({ pool: pool.name, volume: name, from, to: sizeBytes }, "volume resized");
  return describeVolume(context, pool, volume);
}

/** Errors: invalid, missing, exists, busy: the configuration names it; failed. */
export async function renameVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, [...VOLUME, "name"]);
  const name = given.text("name");
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  const { pool } = operated;
  const before = volume.attributes.name;
  if (context.isServed(volume)) {
    throw new OperationError(
      "busy",
      `volume ${before} of pool ${pool.name} is served under this name: take it out of the configuration first`,
    );
  }
  await pool.rename(volume, name);
  context.log.info({ pool: pool.name, volume: before, name }, "volume renamed");
  return describeVolume(context, pool, volume);
}

/** Reservation, quota, write protection. Errors: invalid, missing, space, failed. */
export async function setVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, [...VOLUME, "reservedBytes", "quotaBytes", "readOnly"]);
  const reservedBytes = given.optionalBytes("reservedBytes");
  const quotaBytes = given.optionalBytes("quotaBytes");
  const readOnly = given.optionalFlag("readOnly");
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
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

/** Errors: invalid, missing, busy, failed. */
export async function deleteVolume(request: OperationRequest): Promise<ReplyOf<"volume/delete">> {
  const { context, body } = request;
  const given = new Arguments(body, VOLUME);
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  const { pool } = operated;
  const { name, uuid } = volume.attributes;
  await pool.delete(volume);
  context.log.info({ pool: pool.name, volume: name, uuid }, "volume deleted");
  return {};
}
