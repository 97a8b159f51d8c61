import { resolve } from "node:path";
import { isExtentSize } from "../../thin/format/geometry.ts";
import { DEVICES_MAX } from "../../thin/limits.ts";
import { MEMBER_BYTES_MIN } from "../../thin/members/limits.ts";
import type { PoolConfig, PoolCreation, PoolGrowth } from "./config.ts";
import {
  COMMAND_SECONDS_MAX,
  COMMAND_WORDS_MAX,
  FULL_RETRY_SECONDS_MAX,
  OVERCOMMIT_MAX,
  POOL_DEVICE_BYTES_MAX,
  THRESHOLDS_MAX,
} from "./limits.ts";
import {
  flag,
  flagOr,
  integer,
  listOf,
  mapped,
  object,
  optional,
  required,
  type Shape,
  text,
  textOrNumber,
} from "./shape.ts";
import type { ConfigDocument } from "./document.ts";
import { filePath, size } from "./values.ts";

const EXTENT_BYTES_DEFAULT: number = 64 * 1024;
const THRESHOLDS_DEFAULT: readonly number[] = [80, 95];
const FULL_RETRY_SECONDS_DEFAULT = 60;
const COMMAND_SECONDS_DEFAULT = 60;

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
  readonly step: number | null;
  readonly max: number | null;
  readonly image: boolean | null;
  readonly spares: readonly string[];
  readonly command: readonly string[] | null;
  readonly timeout: number;
}

/** A program that is given with a slash lies where the configuration says; another is looked for in the search path. */
const commandWords: Shape<readonly string[]> = mapped(
  listOf(text, COMMAND_WORDS_MAX, "it is a program and its arguments"),
  ([program = "", ...args], fail, report) => {
    if (program === "") return fail("has no program");
    return [program.includes("/") ? resolve(report.source.folder, program) : program, ...args];
  },
);

const growth: Shape<PoolGrowth> = mapped(
  object<GrowthKeys>({
    below: required(imageSize),
    step: optional(imageSize, null),
    max: optional(imageSize, null),
    image: optional(flag, null),
    spares: optional(listOf(filePath, DEVICES_MAX, "leave it out"), []),
    command: optional(commandWords, null),
    timeout: optional(integer(1, COMMAND_SECONDS_MAX), COMMAND_SECONDS_DEFAULT),
  }),
  ({ below, step, max, spares, command: words, timeout: timeoutSeconds, ...rest }, fail) => {
    const image = rest.image ?? (spares.length === 0 && words === null);
    if (image && max === null) return fail('the key "max" is missing: an image grows up to it');
    if (!image && words === null && spares.length === 0) {
      return fail("nothing is left that could grow: neither image, spares nor command");
    }
    if (step === null && (image || words !== null)) return fail('the key "step" is missing');
    const [program, ...args] = words ?? [];
    return {
      belowBytes: below,
      stepBytes: step ?? below,
      maxBytes: max,
      image,
      spares,
      command: program === undefined ? null : { program, args, timeoutSeconds },
    };
  },
);

/** A factor, 0 for none. Below 1, a pool would be larger than all that it could ever hold. */
const overcommit: Shape<number> = mapped(textOrNumber, (value, fail) => {
  const factor = Number(value);
  const isFactor = factor === 0 || (factor >= 1 && factor <= OVERCOMMIT_MAX);
  return isFactor && value.trim() !== ""
    ? factor
    : fail(`must be a number from 1 to ${OVERCOMMIT_MAX}, or 0 for no limit, not "${value}"`);
});

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
  readonly shared: boolean;
  readonly takeOver: boolean | "force";
  readonly optional: boolean;
  readonly overcommit: number | null;
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
    shared: optional(flag, false),
    takeOver: optional(flagOr("force"), false),
    optional: optional(flag, false),
    overcommit: optional(overcommit, null),
    thresholds: optional(percents, THRESHOLDS_DEFAULT),
    autogrow: optional(growth, null),
    fullRetry: optional(integer(0, FULL_RETRY_SECONDS_MAX), FULL_RETRY_SECONDS_DEFAULT),
  }),
  ({ fullRetry: fullRetrySeconds, overcommit: overcommitMax, direct, ...rest }) => ({
    ...rest,
    // In its own page cache a host would not see what another one writes.
    direct: direct || rest.shared || rest.takeOver !== false,
    overcommitMax,
    fullRetrySeconds,
  }),
);

/** What {@link poolShape} reads back. */
export function poolDocument(config: PoolConfig): ConfigDocument {
  const { create, autogrow, overcommitMax, fullRetrySeconds, ...rest } = config;
  const creationKeys =
    create === null ? null : { size: create.sizeBytes, extentSize: create.extentBytes };
  return {
    ...rest,
    create: creationKeys,
    overcommit: overcommitMax,
    fullRetry: fullRetrySeconds,
    autogrow: autogrow === null ? null : growthDocument(autogrow),
  };
}

function growthDocument(config: PoolGrowth): ConfigDocument {
  const { belowBytes, stepBytes, maxBytes, image, spares, command } = config;
  const sizes = { below: belowBytes, step: stepBytes, max: maxBytes };
  if (command === null) return { ...sizes, image, spares };
  const { program, args, timeoutSeconds: timeout } = command;
  return { ...sizes, image, spares, command: [program, ...args], timeout };
}
