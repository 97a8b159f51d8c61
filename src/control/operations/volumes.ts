import { type AuditedChange, type AuditedField, fieldChanges } from "../audit.ts";
import { OperationError, type ReplyOf, type VolumeReport } from "../protocol.ts";
import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { checkNewName } from "../../thin/pool/checks.ts";
import type { Inventory } from "../config/inventory.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import { withRenamed } from "../plane/renaming.ts";
import { audited } from "./audited.ts";
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
export async function createVolume(
  request: OperationRequest<"volume/create">,
): Promise<VolumeReport> {
  const { context, body } = request;
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
  const name = `${pool.name}/${spec.name}`;
  audited(request, "volume/create", [{ action: "create", kind: "volume", name, thing: spec }]);
  return describeVolume(context, pool, volume);
}

function changeOf(pool: string, volume: string, fields: readonly AuditedField[]): AuditedChange {
  return { action: "change", kind: "volume", name: `${pool}/${volume}`, fields };
}

function refuseServed(context: OperationContext, pool: string, volume: ThinVolume): void {
  const places = servedPlaces(context, volume);
  if (places === "") return;
  throw new OperationError(
    "busy",
    `volume ${volume.attributes.name} of pool ${pool} is ${places}: take it off there first`,
  );
}

/**
 * Also while it is served: what leads to it leads to it still. Errors: invalid, missing, exists, busy, foreign: the configuration finds it by
 * its name; failed, io.
 */
export async function renameVolume(
  request: OperationRequest<"volume/rename">,
): Promise<VolumeReport> {
  const { context, body } = request;
  const { name: to } = body;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const { name: from, uuid } = volume.attributes;
  if (from === to) return describeVolume(context, pool, volume);
  // Before anything is written down for it.
  checkNewName(pool.state, to);
  if (context.daemon === undefined) {
    await pool.rename(volume, to);
    const fields = [{ field: "name", before: from, after: to }];
    audited(request, "volume/rename", [changeOf(pool.name, from, fields)]);
  } else {
    const renaming = { pool: pool.name, uuid, from, to };
    const edit = (view: PlaneView): Inventory => withRenamed(view, renaming);
    await context.daemon.plane.change(actorOf(request), "volume/rename", edit, renaming);
  }
  return describeVolume(context, pool, volume);
}

/** Reservation, quota, write protection. Errors: invalid, missing, space, failed. */
export async function setVolume(request: OperationRequest<"volume/set">): Promise<VolumeReport> {
  const { context, body } = request;
  const { reservedBytes, quotaBytes, readOnly } = body;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const { name } = volume.attributes;
  if (reservedBytes === undefined && quotaBytes === undefined && readOnly === undefined) {
    throw new OperationError("invalid", `nothing is to be changed of volume ${name}`);
  }
  const before = { ...volume.attributes };
  await pool.setAttributes(volume, {
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(readOnly === undefined ? {} : { readOnly }),
  });
  const wanted = { reservedBytes, quotaBytes, readOnly };
  const { reservedBytes: reserved, quotaBytes: quota, readOnly: isReadOnly } = before;
  const had = { reservedBytes: reserved, quotaBytes: quota, readOnly: isReadOnly };
  audited(request, "volume/set", [changeOf(pool.name, name, fieldChanges(had, wanted))]);
  return describeVolume(context, pool, volume);
}

/** What commands have named, and no LUN leads to, is not open for anybody. What the configuration has stays open. */
async function letGo(
  request: OperationRequest<"volume/delete" | "snapshot/delete">,
  names: readonly string[],
  check: () => void,
): Promise<readonly AuditedChange[]> {
  if (names.length === 0) return [];
  const actor = { ...actorOf(request), isPart: true };
  const edit = ({ inventory }: PlaneView): Inventory => {
    // A LUN may have come while this has waited for its turn.
    check();
    const volumes = [...inventory.volumes].filter(([name]) => !names.includes(name));
    return { ...inventory, volumes: new Map(volumes) };
  };
  return (await request.context.daemon?.plane.change(actor, "volume/delete", edit)) ?? [];
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
  operation: "volume/delete" | "snapshot/delete" = "volume/delete",
): Promise<ReplyOf<"volume/delete">> {
  const { context, body } = request;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const { name, uuid } = volume.attributes;
  const check = (): void => refuseServed(context, pool.name, volume);
  check();
  const names = servedNames(context, volume);
  const changes = [...(await letGo(request, names, check))];
  try {
    await pool.delete(volume);
    const thing = { uuid, sizeBytes: volume.capacityBytes };
    changes.unshift({ action: "delete", kind: "volume", name: `${pool.name}/${name}`, thing });
  } finally {
    audited(request, operation, changes);
  }
  await forgetNames(context, [...names, name, `${pool.name}/${name}`], uuid);
  return {};
}
