import type { BlockDevice } from "../../device/block-device.ts";
import { FileDevice } from "../../device/file-device.ts";
import { growImageFile } from "../../device/image-file.ts";
import { createMembers, type Member } from "../../thin/members/create-members.ts";
import { refuseAlive } from "../../thin/members/refuse-alive.ts";
import { takeBackMembers, unmarkWipe } from "../../thin/members/take-back.ts";
import { type ArgumentsOf, OperationError, type ReplyOf } from "../protocol.ts";
import { audited } from "./audited.ts";
import { findPool } from "./find.ts";
import type { OperatedPool, OperationRequest } from "./operation.ts";
import { describePool } from "./report.ts";
import { tellUnfinishedWipes, withOutcome } from "./unfinished-wipes.ts";
import { whatWas } from "./wiped-devices.ts";

type Request = OperationRequest<"pool/extend">;

/**
 * Gives a pool more space: a device that is added, or one that has grown. Errors: invalid, missing, exists, busy, foreign (and what
 * is on the device), space, unsupported, io, failed. Can be stopped while the device is looked at, which a disk that hangs makes long.
 */
export async function extendPool(request: Request): Promise<ReplyOf<"pool/extend">> {
  const { context, body } = request;
  const operated = findPool(context, body.pool);
  const { pool } = operated;
  const { add, grow } = body;
  if ((add === undefined) === (grow === undefined)) {
    throw new OperationError("invalid", "a pool is extended by a device to add, or one to grow");
  }
  const before = sizesOf(operated);
  let backup: string | null = null;
  if (add !== undefined) backup = await addDevice(request, operated, body, add);
  else if (grow !== undefined) await growDevice(operated, grow, body.growBytes);
  const fields = [{ field: "devices", before, after: sizesOf(operated) }];
  audited(request, "pool/extend", [{ action: "change", kind: "pool", name: pool.name, fields }]);
  return { pool: describePool(pool), backup };
}

/** Devices by name, and how large they are. */
function sizesOf({ pool }: OperatedPool): Readonly<Record<string, number>> {
  const { devices } = pool.state.addresses;
  return Object.fromEntries(devices.map(({ name, capacityBytes }) => [name, capacityBytes]));
}

async function addDevice(
  { context, progress, settle }: Request,
  { pool, direct, adopt, remember }: OperatedPool,
  { createBytes, wipe = [], acceptData = false }: ArgumentsOf<"pool/extend">,
  path: string,
): Promise<string | null> {
  progress({ step: "preparing the device", done: 0, total: 2 });
  await tellUnfinishedWipes(context);
  // Before anything of what is there is lost for it.
  await pool.checkRoomForDevice();
  if (wipe.length > 0) {
    await refuseAlive([path], { owner: await context.owner(), clock: context.clock });
  }
  const [member] = await createMembers(
    [createBytes === undefined ? { path } : { path, createBytes }],
    {
      wipe,
      acceptData,
      backupDir: context.backupDir,
      time: context.now(),
      direct,
      // From here on things are lost.
      beforeWipe: () => settle?.("the device is being made the pool's"),
    },
  );
  if (member === undefined) throw new OperationError("internal", `${path} was not prepared`);
  const { device, isZero, backup } = member;
  if (backup !== null) {
    const fields = { pool: pool.name, device: path, found: whatWas(member), backup };
    context.log.info(fields, "device wiped for a pool; what was there is kept");
  }
  progress({ step: "adding it", done: 1, total: 2 });
  try {
    await remember(path);
    await pool.addDevice(device, { uuid: context.makeUuid(), isZero });
  } catch (error) {
    throw await withoutDevice(error, member, { pool, adopt });
  }
  adopt(device);
  await unmarkWipe([backup]);
  progress({ step: "adding it", done: 2, total: 2 });
  return backup;
}

/** What is to be said of a failure, once a device that did not become the pool's is as it was. */
async function withoutDevice(
  error: unknown,
  member: Member,
  { pool, adopt }: Pick<OperatedPool, "pool" | "adopt">,
): Promise<unknown> {
  const { device, path, backup } = member;
  if (!pool.state.addresses.devices.includes(device)) {
    const left = await takeBackMembers([member]);
    await device.close();
    return withOutcome(error, [member], left);
  }
  // Once the pool knows of it, a failed pool keeps it open until it is closed.
  adopt(device);
  await unmarkWipe([backup]);
  const kept = `${path} is the pool's all the same, and what was there is kept: ${backup}`;
  return withOutcome(error, [member], backup === null ? [] : [kept]);
}

/** By path, or by the UUID of its label. */
async function growDevice(
  { pool }: OperatedPool,
  pathOrUuid: string,
  growBytes: number | undefined,
): Promise<void> {
  const { devices, addresses } = pool.state;
  const index = devices.findIndex(
    ({ uuid }, at) => uuid === pathOrUuid || addresses.devices[at]?.name === pathOrUuid,
  );
  const device = addresses.devices[index];
  if (device === undefined) {
    const names = addresses.devices.map(({ name }) => name).join(", ");
    throw new OperationError(
      "missing",
      `pool ${pool.name} has no device ${pathOrUuid}: it has ${names}`,
    );
  }
  if (growBytes !== undefined) await growImage(device, growBytes);
  const isImage = device instanceof FileDevice && !device.isBlockDevice;
  await pool.growDevice(index, { isZero: growBytes !== undefined && isImage });
}

async function growImage(device: BlockDevice, growBytes: number): Promise<void> {
  if (!(device instanceof FileDevice) || device.isBlockDevice) {
    throw new OperationError(
      "invalid",
      `${device.name} is no image file: make the device larger first, then extend the pool without a size`,
    );
  }
  if (growBytes <= device.capacityBytes) {
    throw new OperationError(
      "invalid",
      `${device.name} has ${device.capacityBytes} bytes already: devices of a pool only grow`,
    );
  }
  await growImageFile(device.name, device.capacityBytes, growBytes);
}
