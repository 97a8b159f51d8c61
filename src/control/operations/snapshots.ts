import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import { OperationError, type ReplyOf, type VolumeReport } from "../protocol.ts";
import { Arguments } from "./arguments.ts";
import { findPool, findVolume } from "./find.ts";
import type { OperationRequest } from "./operation.ts";
import { describeVolume } from "./report.ts";
import { deleteVolume, listVolumes } from "./volumes.ts";

/** Errors: invalid, missing. */
export async function listSnapshots(request: OperationRequest): Promise<readonly VolumeReport[]> {
  const all = await listVolumes(request);
  return all.filter(({ isSnapshot }) => isSnapshot);
}

/** Copies of volumes of one pool, at one instant. Errors: invalid, missing, exists, space, failed. */
export async function createSnapshots(
  request: OperationRequest,
): Promise<ReplyOf<"snapshot/create">> {
  const { context, body } = request;
  const given = new Arguments(body, ["pool", "copies", "writable"]);
  const writable = given.flag("writable");
  const { pool } = findPool(context, given.text("pool"));
  const copies = given.objects("copies", ["volume", "name"]).map((copy) => ({
    source: pool.volume(copy.text("volume")),
    name: copy.text("name"),
    uuid: context.makeUuid(),
    readOnly: !writable,
  }));
  if (copies.length === 0) throw new OperationError("invalid", "copies must name a volume");
  const made = await pool.snapshot(copies);
  const names = made.map(({ attributes }) => attributes.name);
  context.log.info({ pool: pool.name, names, writable }, "snapshot created");
  return made.map((volume) => describeVolume(context, pool, volume));
}

/** Errors: invalid: it is no snapshot; missing, busy, failed. */
export async function deleteSnapshot(
  request: OperationRequest,
): Promise<ReplyOf<"snapshot/delete">> {
  const { context, body } = request;
  const given = new Arguments(body, ["pool", "volume"]);
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  mustBeSnapshot(volume, operated.pool.name);
  return deleteVolume(request);
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
export async function rollbackVolume({ context, body }: OperationRequest): Promise<VolumeReport> {
  const given = new Arguments(body, ["pool", "volume", "source", "unrelated"]);
  const isUnrelatedMeant = given.flag("unrelated");
  const { operated, volume } = findVolume(context, given.text("pool"), given.text("volume"));
  const { pool } = operated;
  const source = pool.volume(given.text("source"));
  if (!isUnrelatedMeant) mustBeRelated(pool, volume, source);
  await pool.rollback(volume, source);
  const names = { volume: volume.attributes.name, source: source.attributes.name };
  context.log.info({ pool: pool.name, ...names }, "volume rolled back");
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
