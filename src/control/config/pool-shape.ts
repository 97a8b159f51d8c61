import { isExtentSize } from "../../thin/format/geometry.ts";
import { DEVICES_MAX } from "../../thin/limits.ts";
import { MEMBER_BYTES_MIN } from "../../thin/members/limits.ts";
import type { PoolConfig, PoolCreation, PoolGrowth } from "./config.ts";
import { FULL_RETRY_SECONDS_MAX, POOL_DEVICE_BYTES_MAX, THRESHOLDS_MAX } from "./limits.ts";
import { flag, integer, listOf, mapped, object, optional, required, type Shape } from "./shape.ts";
import { filePath, size } from "./values.ts";

const EXTENT_BYTES_DEFAULT: number = 64 * 1024;
const THRESHOLDS_DEFAULT: readonly number[] = [80, 95];
const FULL_RETRY_SECONDS_DEFAULT = 60;

const imageSize = size(MEMBER_BYTES_MIN, POOL_DEVICE_BYTES_MAX);

const extentSize: Shape<number> = mapped(size(0, POOL_DEVICE_BYTES_MAX), (bytes, fail) =>
  isExtentSize(bytes) ? bytes : fail("must be a power of two from 16KiB to 1MiB"),
);

interface CreationKeys {
  readonly size: number | null;
  readonly extentSize: number;
}

const creation: Shape<PoolCreation> = mapped(
  object<CreationKeys>({
    size: optional(imageSize, null),
    extentSize: optional(extentSize, EXTENT_BYTES_DEFAULT),
  }),
  ({ size: sizeBytes, extentSize: extentBytes }) => ({ sizeBytes, extentBytes }),
);

interface GrowthKeys {
  readonly below: number;
  readonly step: number;
  readonly max: number;
}

const growth: Shape<PoolGrowth> = mapped(
  object<GrowthKeys>({
    below: required(imageSize),
    step: required(imageSize),
    max: required(imageSize),
  }),
  ({ below, step, max }) => ({ belowBytes: below, stepBytes: step, maxBytes: max }),
);

const percents: Shape<readonly number[]> = mapped(
  listOf(integer(1, 99), THRESHOLDS_MAX),
  (values, fail) => {
    const isAscending = values.every((value, index) => value > (values[index - 1] ?? 0));
    return isAscending ? values : fail("must be ascending");
  },
);

interface PoolKeys {
  readonly devices: readonly string[];
  readonly create: PoolCreation | null;
  readonly direct: boolean;
  readonly optional: boolean;
  readonly thresholds: readonly number[];
  readonly autogrow: PoolGrowth | null;
  readonly fullRetry: number;
}

/** A pool of thin volumes. */
export const poolShape: Shape<PoolConfig> = mapped(
  object<PoolKeys>({
    devices: required(listOf(filePath, DEVICES_MAX, "a pool has a device")),
    create: optional(creation, null),
    direct: optional(flag, false),
    optional: optional(flag, false),
    thresholds: optional(percents, THRESHOLDS_DEFAULT),
    autogrow: optional(growth, null),
    fullRetry: optional(integer(0, FULL_RETRY_SECONDS_MAX), FULL_RETRY_SECONDS_DEFAULT),
  }),
  ({ fullRetry: fullRetrySeconds, ...rest }) => ({ ...rest, fullRetrySeconds }),
);
