import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { PoolReport, VolumeReport } from "../protocol.ts";
import type { OperationContext } from "./operation.ts";

const MS_PER_SECOND = 1000;

/** The last moment that a Date can tell. */
const DATE_MS_MAX = 8.64e15;

export function describePool(pool: Pool): PoolReport {
  const { state } = pool;
  const { devices: paths } = state.addresses;
  const { quarantinedBytes: _, overcommit: __, volumes, ...space } = pool.usage();
  return {
    name: pool.name,
    uuid: pool.uuid,
    extentBytes: pool.extentBytes,
    devices: state.devices.map(({ uuid, sizeBytes }, index) => ({
      path: paths[index]?.name ?? "",
      uuid,
      sizeBytes,
    })),
    space,
    volumeCount: volumes.length,
    overcommitMax: state.settings.overcommitMax,
    thresholds: state.settings.thresholds,
    failure: pool.failure?.message ?? null,
  };
}

export function describeVolume(
  context: OperationContext,
  pool: Pool,
  volume: ThinVolume,
): VolumeReport {
  const { attributes, state } = volume;
  const { name, uuid, sizeBytes, readOnly, isSnapshot, reservedBytes, quotaBytes } = attributes;
  const createdAtMs = Math.min(attributes.createdAt * MS_PER_SECOND, DATE_MS_MAX);
  return {
    pool: pool.name,
    name,
    uuid,
    sizeBytes,
    mappedBytes: state.mappedExtents * pool.extentBytes,
    ownedBytes: state.ownedExtents * pool.extentBytes,
    reservedBytes,
    quotaBytes,
    readOnly,
    isSnapshot,
    origin: pool.state.volumes.get(attributes.originId)?.attributes.name ?? null,
    createdAt: new Date(createdAtMs).toISOString(),
    isServed: context.isServed(volume),
  };
}
