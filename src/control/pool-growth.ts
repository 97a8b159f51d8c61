import { isAbsolute } from "node:path";
import { runChild } from "../../native-free/child-process.ts";
import type { BlockDevice } from "../device/block-device.ts";
import { FileDevice } from "../device/file-device.ts";
import { growImageFile } from "../device/image-file.ts";
import { PoolError } from "../thin/pool-error.ts";
import type {
  AutoGrowthSettings,
  Grower,
  GrowthNeed,
  NewMember,
} from "../thin/pool/auto-growth.ts";
import { commandGrower, firstOf, imageGrower, spareGrower } from "../thin/pool/growers.ts";
import type { GrowthCommand, PoolConfig, PoolGrowth } from "./config/config.ts";
import { isAmong } from "./pool-paths.ts";

const MS_PER_SECOND = 1000;

/** A device that is larger than the pool knows by less than this is not worth a segment, of which a pool has few. Bytes. */
export const GROWTH_BYTES_MIN: number = 4 * 1024 * 1024;

/** What of a command's complaint goes into the log. Characters. */
const COMPLAINT_LENGTH_MAX = 400;

/** The pool that is to grow. */
export interface GrowingPool {
  readonly name: string;
  readonly uuid: string;
  /** In the order of the pool. */
  readonly devices: () => readonly BlockDevice[];
  /** Indexes of the devices that have gained enough to be of use. */
  readonly gained: () => Promise<readonly number[]>;
  /** Takes a device that must carry nothing. */
  readonly claim: (path: string) => Promise<NewMember>;
}

/** How the pool grows by itself, as it is configured; null: not at all. Errors: invalid. */
export function growthOf(pool: GrowingPool, config: PoolConfig): AutoGrowthSettings | null {
  const { autogrow } = config;
  if (autogrow === null) return null;
  const presentBytes = (): number =>
    pool.devices().reduce((sum, { capacityBytes }) => sum + capacityBytes, 0);
  const roomBytes = (): number =>
    autogrow.maxBytes === null ? Infinity : Math.max(0, autogrow.maxBytes - presentBytes());
  const isMember = (path: string): Promise<boolean> =>
    isAmong(
      path,
      pool.devices().map(({ name }) => name),
    );
  const { claim } = pool;
  const growers: Grower[] = [];
  if (autogrow.image) growers.push(imageOf(pool, config, roomBytes));
  if (autogrow.spares.length > 0) {
    const spares = spareGrower({ paths: autogrow.spares, isMember, claim });
    growers.push((need) => (roomBytes() > 0 ? spares(need) : Promise.resolve([])));
  }
  const { command } = autogrow;
  if (command !== null) {
    const run = (need: GrowthNeed): Promise<string[]> => runCommand(command, pool, need);
    const refresh = pool.gained;
    growers.push(commandGrower({ presentBytes, roomBytes, run, refresh, isMember, claim }));
  }
  return settingsOf(autogrow, firstOf(growers));
}

function settingsOf({ belowBytes, stepBytes }: PoolGrowth, grower: Grower): AutoGrowthSettings {
  return { lowWaterBytes: belowBytes, stepBytes, grower };
}

function imageOf(
  pool: GrowingPool,
  { devices: paths }: PoolConfig,
  roomBytes: () => number,
): Grower {
  const path = paths.at(-1) ?? "";
  const device = pool.devices().findIndex(({ name }) => name === path);
  const image = pool.devices()[device];
  if (!(image instanceof FileDevice) || image.isBlockDevice) {
    throw new PoolError(
      "invalid",
      `${path} is no image file, and cannot be made to grow; autogrow has spares and a command besides`,
    );
  }
  const resize = (sizeBytes: number): Promise<void> =>
    growImageFile(path, image.capacityBytes, sizeBytes);
  return imageGrower({ device, image, roomBytes, resize });
}

/** Errors: io: the command failed; invalid: it said something else than paths. */
async function runCommand(
  { program, args, timeoutSeconds }: GrowthCommand,
  { name, uuid }: GrowingPool,
  { bytesWanted, freeBytes, signal }: GrowthNeed,
): Promise<string[]> {
  const { outcome, exitCode, stdout, stderr } = await runChild(program, args, {
    timeoutMs: timeoutSeconds * MS_PER_SECOND,
    signal,
    variables: {
      THINLUN_POOL: name,
      THINLUN_POOL_UUID: uuid,
      THINLUN_BYTES_WANTED: String(bytesWanted),
      THINLUN_BYTES_FREE: String(freeBytes),
    },
  });
  if (outcome !== "exited" || exitCode !== 0) {
    const how = {
      exited: `it ended with status ${exitCode}`,
      missing: "there is no such program",
      unstartable: "the system cannot start it now",
      killed: `it was killed, or took longer than ${timeoutSeconds} s`,
    }[outcome];
    const complaint = stderr.trim().slice(0, COMPLAINT_LENGTH_MAX);
    throw new PoolError("io", `${program}: ${how}${complaint === "" ? "" : `: ${complaint}`}`);
  }
  const paths = stdout.split("\n").filter((line) => line !== "");
  const wrong = paths.find((path) => !isAbsolute(path));
  if (wrong === undefined) return paths;
  const shown = JSON.stringify(wrong.slice(0, COMPLAINT_LENGTH_MAX));
  throw new PoolError("invalid", `${program} says ${shown}, which is no absolute path of a device`);
}
