import type { BlockDevice } from "../../device/block-device.ts";
import { FileDevice } from "../../device/file-device.ts";
import { growImageFile } from "../../device/image-file.ts";
import { createMembers } from "../../thin/members/create-members.ts";
import { refuseAlive } from "../../thin/members/refuse-alive.ts";
import { type ArgumentsOf, OperationError, type ReplyOf } from "../protocol.ts";
import { findPool } from "./find.ts";
import type { OperatedPool, OperationRequest } from "./operation.ts";
import { describePool } from "./report.ts";

type Request = OperationRequest<"pool/extend">;

/**
 * Gives a pool more space: a device that is added, or one that has grown. Errors: invalid, missing, exists, busy, foreign (and what
 * is on the device), space, unsupported, io, failed.
 */
export async function extendPool(request: Request): Promise<ReplyOf<"pool/extend">> {
  const { context, body } = request;
  const operated = findPool(context, body.pool);
  const { pool } = operated;
  const { add, grow } = body;
  if ((add === undefined) === (grow === undefined)) {
    throw new OperationError("invalid", "a pool is extended by a device to add, or one to grow");
  }
  let backup: string | null = null;
  if (add !== undefined) backup = await addDevice(request, operated, body, add);
  else if (grow !== undefined) await growDevice(operated, grow, body.growBytes);
  context.log.info({ pool: pool.name, add, grow }, "pool extended");
  return { pool: describePool(pool), backup };
}

async function addDevice(
  { context, progress }: Request,
  { pool, direct, adopt, remember }: OperatedPool,
  { createBytes, wipe = [], acceptData = false }: ArgumentsOf<"pool/extend">,
  path: string,
): Promise<string | null> {
  progress({ step: "preparing the device", done: 0, total: 2 });
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
    },
  );
  if (member === undefined) throw new OperationError("internal", `${path} was not prepared`);
  const { device, isZero, backup } = member;
  progress({ step: "adding it", done: 1, total: 2 });
  try {
    await remember(path);
    await pool.addDevice(device, { uuid: context.makeUuid(), isZero });
  } catch (error) {
    // Once the pool knows of it, a failed pool keeps it open until it is closed.
    if (pool.state.addresses.devices.includes(device)) adopt(device);
    else await device.close();
    throw error;
  }
  adopt(device);
  progress({ step: "adding it", done: 2, total: 2 });
  return backup;
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
