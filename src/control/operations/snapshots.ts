import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { AuditedChange } from "../audit.ts";
import { OperationError, type ReplyOf, type VolumeReport } from "../protocol.ts";
import { audited } from "./audited.ts";
import { findPool, findVolume } from "./find.ts";
import type { OperationRequest } from "./operation.ts";
import { describeVolume } from "./report.ts";
import { deleteVolume, listVolumes } from "./volumes.ts";

/** Errors: missing. */
export async function listSnapshots(
  request: OperationRequest<"snapshot/list">,
): Promise<readonly VolumeReport[]> {
  const all = await listVolumes(request);
  return all.filter(({ isSnapshot }) => isSnapshot);
}

/** Copies of volumes of one pool, at one instant. Errors: invalid, missing, exists, space, failed. */
export async function createSnapshots(
  request: OperationRequest<"snapshot/create">,
): Promise<ReplyOf<"snapshot/create">> {
  const { context, body } = request;
  const { writable = false } = body;
  const { pool } = findPool(context, body.pool);
  const copies = body.copies.map(({ volume, name }) => ({
    source: pool.volume(volume),
    name,
    uuid: context.makeUuid(),
    readOnly: !writable,
  }));
  const made = await pool.snapshot(copies);
  const changes = copies.map(({ source, name, uuid, readOnly }): AuditedChange => {
    const thing = { uuid, of: source.attributes.name, readOnly };
    return { action: "create", kind: "snapshot", name: `${pool.name}/${name}`, thing };
  });
  audited(request, "snapshot/create", changes);
  return made.map((volume) => describeVolume(context, pool, volume));
}

/** Errors: invalid: it is no snapshot; missing, busy, failed. */
export async function deleteSnapshot(
  request: OperationRequest<"snapshot/delete">,
): Promise<ReplyOf<"snapshot/delete">> {
  const { context, body } = request;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  mustBeSnapshot(volume, operated.pool.name);
  return deleteVolume(request, "snapshot/delete");
}

function mustBeSnapshot({ attributes: { name, isSnapshot } }: ThinVolume, pool: string): void {
  if (isSnapshot) return;
  throw new OperationError(
    "invalid",
    `${name} of pool ${pool} is a volume, no snapshot; thinlun volume delete ${pool}/${name} deletes it`,
  );
}

/**
 * A volume becomes what another one is, also while it is served. Errors: invalid: neither was made from the other, and nobody said that
 * this is meant (`unrelated`), or what the pool refuses; missing, space, failed.
 */
export async function rollbackVolume(
  request: OperationRequest<"snapshot/rollback">,
): Promise<VolumeReport> {
  const { context, body } = request;
  const isUnrelatedMeant = body.unrelated ?? false;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const source = pool.volume(body.source);
  if (!isUnrelatedMeant) mustBeRelated(pool, volume, source);
  await pool.rollback(volume, source);
  const name = `${pool.name}/${volume.attributes.name}`;
  const fields = [{ field: "content", after: source.attributes.name }];
  audited(request, "snapshot/rollback", [{ action: "change", kind: "volume", name, fields }]);
  return describeVolume(context, pool, volume);
}

/** A name that is wrong by a letter would replace a volume by a stranger's content, which nothing brings back. */
function mustBeRelated(pool: Pool, volume: ThinVolume, source: ThinVolume): void {
  if (volume === source || isMadeFrom(pool, source, volume) || isMadeFrom(pool, volume, source)) {
    return;
  }
  const [name, other] = [volume.attributes.name, source.attributes.name];
  throw new OperationError(
    "invalid",
    `${other} was not made from ${name}, nor ${name} from it, as far as what lies between them is still there; ` +
      `to replace all of ${name} by it takes consent (--unrelated)`,
  );
}

/** Whether `volume` is a copy of `origin`, or a copy of a copy of it. Where one between them was deleted, nobody knows. */
function isMadeFrom(pool: Pool, volume: ThinVolume, origin: ThinVolume): boolean {
  const { volumes } = pool.state;
  const { id } = origin.attributes;
  let { originId } = volume.attributes;
  // An origin has a lower number than its copy; not so on a disk that somebody has made up.
  for (let steps = 0; originId !== 0 && steps < volumes.size; steps += 1) {
    if (originId === id) return true;
    originId = volumes.get(originId)?.attributes.originId ?? 0;
  }
  return false;
}
