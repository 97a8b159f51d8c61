import { MEMORY_DEVICE_BYTES_MAX } from "../../device/limits.ts";
import type {
  MemoryVolumeConfig,
  NullVolumeConfig,
  RawVolumeConfig,
  ThinVolumeConfig,
  VolumeConfig,
  VolumeSettings,
} from "./config.ts";
import {
  DELAY_MS_MAX,
  VOLUME_BYTES_MAX,
  VOLUME_BYTES_MIN,
  VOLUME_SIZE_STEP_BYTES,
} from "./limits.ts";
import {
  choiceOf,
  chosenBy,
  type Field,
  flag,
  integer,
  mapped,
  object,
  optional,
  required,
  type Shape,
} from "./shape.ts";
import type { ConfigDocument } from "./document.ts";
import { filePath, poolName, size, uuid, volumeName } from "./values.ts";

const settings: { readonly [Key in keyof VolumeSettings]: Field<VolumeSettings[Key]> } = {
  uuid: optional(uuid, null),
  readOnly: optional(flag, false),
  optional: optional(flag, false),
  delayMs: optional(integer(0, DELAY_MS_MAX), 0),
};

function diskSize(mostBytes: number): Shape<number> {
  return mapped(size(VOLUME_BYTES_MIN, mostBytes), (bytes, fail) => {
    const rest = bytes % VOLUME_SIZE_STEP_BYTES;
    if (rest === 0) return bytes;
    const next = bytes - rest + VOLUME_SIZE_STEP_BYTES;
    return fail(
      `must be a multiple of ${VOLUME_SIZE_STEP_BYTES} bytes, such as ${next}, not ${bytes} bytes`,
    );
  });
}

interface RawKeys extends VolumeSettings {
  readonly driver: "raw";
  readonly path: string;
  readonly size: number | null;
  readonly create: boolean;
  readonly direct: boolean;
}

const raw: Shape<RawVolumeConfig> = mapped(
  object<RawKeys>({
    driver: required(choiceOf(["raw"])),
    path: required(filePath),
    size: optional(diskSize(VOLUME_BYTES_MAX), null),
    create: optional(flag, false),
    direct: optional(flag, false),
    ...settings,
  }),
  ({ size: sizeBytes, ...rest }, fail) => {
    if (rest.create && sizeBytes === null) return fail('"create" needs a "size"');
    if (rest.create && rest.readOnly) {
      return fail('"create" and "readOnly" together make an empty disk that stays empty');
    }
    return { ...rest, sizeBytes };
  },
);

interface MemoryKeys extends VolumeSettings {
  readonly driver: "memory";
  readonly size: number;
}

const memory: Shape<MemoryVolumeConfig> = mapped(
  object<MemoryKeys>({
    driver: required(choiceOf(["memory"])),
    size: required(diskSize(MEMORY_DEVICE_BYTES_MAX)),
    ...settings,
  }),
  ({ size: sizeBytes, ...rest }) => ({ ...rest, sizeBytes }),
);

interface NullKeys extends Omit<VolumeSettings, "delayMs"> {
  readonly driver: "null";
  readonly size: number;
}

const nothing: Shape<NullVolumeConfig> = mapped(
  object<NullKeys>({
    driver: required(choiceOf(["null"])),
    size: required(diskSize(VOLUME_BYTES_MAX)),
    uuid: settings.uuid,
    readOnly: settings.readOnly,
    optional: settings.optional,
  }),
  ({ size: sizeBytes, ...rest }) => ({ ...rest, sizeBytes, delayMs: 0 }),
);

interface ThinKeys extends Omit<VolumeSettings, "delayMs"> {
  readonly driver: "thin";
  readonly pool: string;
  readonly name: string | null;
  readonly size: number | null;
  readonly create: boolean;
  readonly reserve: number | null;
  readonly quota: number | null;
}

const thin: Shape<ThinVolumeConfig> = mapped(
  object<ThinKeys>({
    driver: required(choiceOf(["thin"])),
    pool: required(poolName),
    name: optional(volumeName, null),
    size: optional(diskSize(VOLUME_BYTES_MAX), null),
    create: optional(flag, false),
    reserve: optional(size(0, VOLUME_BYTES_MAX), null),
    quota: optional(size(0, VOLUME_BYTES_MAX), null),
    uuid: settings.uuid,
    readOnly: settings.readOnly,
    optional: settings.optional,
  }),
  ({ size: sizeBytes, reserve: reserveBytes, quota: quotaBytes, ...rest }, fail) => {
    if (rest.create && sizeBytes === null) return fail('"create" needs a "size"');
    if (rest.create && rest.readOnly) {
      return fail('"create" and "readOnly" together make an empty disk that stays empty');
    }
    if ((reserveBytes ?? 0) > (sizeBytes ?? Infinity)) {
      return fail('"reserve" is more than the "size"');
    }
    if ((quotaBytes ?? 0) > 0 && (quotaBytes ?? 0) < (reserveBytes ?? 0)) {
      return fail('"reserve" is more than the "quota" allows');
    }
    return { ...rest, sizeBytes, reserveBytes, quotaBytes, delayMs: 0 };
  },
);

/** A volume, of the kind that its `driver` names. */
export const volumeShape: Shape<VolumeConfig> = chosenBy<VolumeConfig>("driver", {
  raw,
  memory,
  null: nothing,
  thin,
});

/** What {@link volumeShape} reads back. */
export function volumeDocument(config: VolumeConfig): ConfigDocument {
  const { uuid: known, readOnly, optional: isOptional, sizeBytes, delayMs } = config;
  const common = { uuid: known, size: sizeBytes, readOnly, optional: isOptional };
  switch (config.driver) {
    case "raw": {
      const { driver, path, create, direct } = config;
      return { driver, path, create, direct, ...common, delayMs };
    }
    case "memory":
      return { driver: config.driver, ...common, delayMs };
    case "null":
      return { driver: config.driver, ...common };
    case "thin": {
      const { driver, pool, name, create, reserveBytes, quotaBytes } = config;
      return { driver, pool, name, create, reserve: reserveBytes, quota: quotaBytes, ...common };
    }
  }
}
