import type { BlockDevice } from "../../device/block-device.ts";
import { writeZeroes } from "../../util/io-request.ts";
import { extentsFrom, usableBytes } from "../checkpoint/segment-plan.ts";
import { isUuid } from "../format/identity.ts";
import { HEAD_BYTES, SEGMENT_ALIGNMENT_BYTES, TAIL_BYTES } from "../format/layout.ts";
import type { PoolDevice, Segment } from "../format/records.ts";
import { DEVICE_BYTES_MIN, DEVICES_MAX, EXTENTS_MAX, SEGMENTS_MAX } from "../limits.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";
import { asPoolError, commit } from "./commit.ts";
import { watchDevice } from "./failure.ts";
import type { NewDevice } from "./pool-options.ts";
import type { PoolParts } from "./pool-parts.ts";

/**
 * Adds a device. Its label comes before the record, and from the record on every flush reaches it; its extents are handed out when
 * the record is durable (rule G). Errors: invalid, exists, space, unsupported, io, failed.
 */
export async function addDevice(
  parts: PoolParts,
  device: BlockDevice,
  { uuid, isZero }: NewDevice,
): Promise<void> {
  const { state } = parts;
  checkRoomForDevice(state);
  checkNewDevice(state, device, uuid);
  const sizeBytes = usableBytes(device.capacityBytes);
  if (sizeBytes < DEVICE_BYTES_MIN) {
    throw new PoolError(
      "invalid",
      `${device.name} is too small: ${DEVICE_BYTES_MIN} bytes at least`,
    );
  }
  const member: PoolDevice = { uuid, sizeBytes };
  const index = state.devices.length;
  const segment = segmentOf(state, index, HEAD_BYTES, sizeBytes, isZero);
  if (segment === null) throw new PoolError("space", "a pool cannot have more extents");
  const unwatch = watchDevice(parts.health, device);
  try {
    await clearEnds(parts, device, sizeBytes);
    await writeLabel(parts, device, index, [...state.devices, member]);
  } catch (error) {
    unwatch();
    throw error;
  }
  refuseStopped(parts);
  offer(state, device);
  await commit(parts, [{ kind: "add-device", device: member, segment }]);
  grown(parts, index);
}

/**
 * Takes in what a device has gained. What it gained begins behind its old end, so that the copies of the superblock there stay until
 * the record is durable. Errors: invalid, missing, space, io, failed.
 */
export async function growDevice(
  parts: PoolParts,
  index: number,
  isZero: boolean = false,
): Promise<void> {
  const { state } = parts;
  const device = state.addresses.devices[index];
  const before = state.devices[index];
  if (device === undefined || before === undefined) {
    throw new PoolError("missing", `the pool has no device ${index}`);
  }
  let capacityBytes: number;
  try {
    capacityBytes = await device.refreshCapacity();
  } catch (error) {
    throw asPoolError(error);
  }
  const sizeBytes = usableBytes(capacityBytes);
  if (sizeBytes <= before.sizeBytes) {
    throw new PoolError("invalid", `${device.name} has not grown: it has ${capacityBytes} bytes`);
  }
  checkSegments(state);
  const start = Math.ceil(before.sizeBytes / SEGMENT_ALIGNMENT_BYTES) * SEGMENT_ALIGNMENT_BYTES;
  const segment = segmentOf(state, index, start, sizeBytes, isZero);
  if (segment === null) {
    throw new PoolError("invalid", `${device.name} has not grown by enough to be of use`);
  }
  const devices = state.devices.with(index, { ...before, sizeBytes });
  // Device 0 has no label: its superblock is written anew, also at the new end, by the checkpoint below.
  if (index > 0) await writeLabel(parts, device, index, devices);
  await commit(parts, [{ kind: "grow-device", device: index, sizeBytes, segment }]);
  grown(parts, index);
  try {
    await parts.checkpointer.run("growth");
  } catch (error) {
    throw asPoolError(error);
  }
}

/** The extents of a device from `start` up to its tail; null where there are none, or the pool has enough. */
function segmentOf(
  state: PoolState,
  device: number,
  start: number,
  sizeBytes: number,
  isZero: boolean,
): Segment | null {
  const room = extentsFrom(start, sizeBytes, state.geometry.extentBytes);
  const extents = Math.min(room, EXTENTS_MAX - state.addresses.extentCount);
  if (extents <= 0) return null;
  return { device, offsetBytes: start, extents, virginFrom: isZero ? 0 : extents };
}

/** Errors: space: the pool takes no device any more, whatever it is. */
export function checkRoomForDevice(state: PoolState): void {
  if (state.devices.length >= DEVICES_MAX) {
    throw new PoolError("space", `a pool has no more than ${DEVICES_MAX} devices`);
  }
  checkSegments(state);
  if (state.addresses.extentCount < EXTENTS_MAX) return;
  throw new PoolError("space", "a pool cannot have more extents");
}

function checkNewDevice(state: PoolState, device: BlockDevice, uuid: string): void {
  if (!isUuid(uuid)) throw new PoolError("invalid", `${uuid} is not a UUID in lower case`);
  if (state.devices.some((member) => member.uuid === uuid)) {
    throw new PoolError("exists", `the pool has a device of UUID ${uuid} already`);
  }
  if (state.addresses.devices.slice(0, state.devices.length).includes(device)) {
    throw new PoolError("exists", `${device.name} is one of the pool's devices already`);
  }
  if (device.traits.readOnly) {
    throw new PoolError("unsupported", `${device.name} cannot be written`);
  }
}

function checkSegments(state: PoolState): void {
  if (state.addresses.segments.length < SEGMENTS_MAX) return;
  throw new PoolError("space", `a pool grows no more than ${SEGMENTS_MAX} times: in larger steps`);
}

/** Nothing is begun any more of what a pool that has stopped meanwhile would have needed. Errors: failed. */
function refuseStopped({ health }: PoolParts): void {
  const { failure } = health;
  if (failure !== null) throw new PoolError("failed", failure.message, failure);
}

/** What was at either end must not be taken for somebody's label, nor for an older one of this pool. */
async function clearEnds(parts: PoolParts, device: BlockDevice, sizeBytes: number): Promise<void> {
  try {
    await writeZeroes(device, 0, HEAD_BYTES);
    refuseStopped(parts);
    await writeZeroes(device, sizeBytes - TAIL_BYTES, TAIL_BYTES);
  } catch (error) {
    throw asPoolError(error);
  }
}

async function writeLabel(
  parts: PoolParts,
  device: BlockDevice,
  index: number,
  devices: readonly PoolDevice[],
): Promise<void> {
  try {
    await parts.superblocks.writeLabel(device, index, devices, () => refuseStopped(parts));
  } catch (error) {
    throw asPoolError(error);
  }
}

/** Makes the device known under the next index: the record that uses it comes next, or the pool has failed. */
function offer(state: PoolState, device: BlockDevice): void {
  const index = state.addresses.addDevice(device);
  if (index !== state.devices.length) {
    throw new PoolError("failed", "an earlier device was offered to the pool and not added");
  }
}

function grown(parts: PoolParts, device: number): void {
  const { addresses, geometry } = parts.state;
  const capacityBytes = addresses.extentCount * geometry.extentBytes;
  parts.log.info({ pool: parts.state.settings.name, device, capacityBytes }, "the pool has grown");
  parts.listeners.emit({ kind: "grown", device, capacityBytes });
  parts.fullPolicy.freed();
}
