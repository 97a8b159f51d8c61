import { resolve } from "node:path";
import { NULL_VOLUME_BYTES } from "../../../volume/null/null-driver.ts";
import type { VolumeConfig } from "../../config/config.ts";
import type { NewLogicalUnit } from "../tgt-command-lun.ts";
import type { ShownStoreType } from "../show/shown.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** The kinds of backing stores that are built in, as `--mode sys --op show` lists them. `thin` is not tgt's. */
export const STORE_TYPES: readonly ShownStoreType[] = [
  { name: "null", flags: "" },
  { name: "rdwr", flags: "sync:direct" },
  { name: "aio", flags: "" },
  { name: "thin", flags: "sync" },
];

const DEFAULT_TYPE = "rdwr";

/** What disks without a medium, and those that keep nothing, are made of. No other volume can have this name. */
const NOTHING = "/dev/null";

/** A volume of a LUN that is to be, by its name. */
export interface BackingVolume {
  readonly name: string;
  readonly config: VolumeConfig;
}

/** The kind of a new unit's store and its flags, as they are shown. Refused: invalid-request. */
export function storeOf(unit: NewLogicalUnit): { readonly type: string; readonly flags: string } {
  const type = unit.backingStoreType ?? DEFAULT_TYPE;
  const known = STORE_TYPES.find(({ name }) => name === type);
  if (known === undefined) throw new TgtRefused("invalid-request", `no backing stores of ${type}`);
  const flags = [unit.sync ? "sync" : "", unit.direct ? "direct" : ""].filter(
    (flag) => flag !== "",
  );
  const taken = known.flags.split(":");
  const wrong = flags.find((flag) => !taken.includes(flag));
  if (wrong !== undefined) throw new TgtRefused("invalid-request", `${type} takes no ${wrong}`);
  return { type, flags: flags.join(":") };
}

const common = { uuid: null, readOnly: false, optional: false, delayMs: 0 } as const;

/** Nothing, to be read and written. */
export function nothing(): BackingVolume {
  return { name: NOTHING, config: { driver: "null", sizeBytes: NULL_VOLUME_BYTES, ...common } };
}

/** The volume behind a path, which for `thin` is POOL/VOLUME. Refused: invalid-request. */
export function volumeOf(type: string, path: string, flags: string): BackingVolume {
  if (path === "" || type === "null") return nothing();
  if (type === "thin") return thinVolume(path);
  const absolute = resolve(path);
  const direct = type === "aio" || flags.split(":").includes("direct");
  return {
    name: absolute,
    config: { driver: "raw", path: absolute, sizeBytes: null, create: false, direct, ...common },
  };
}

function thinVolume(path: string): BackingVolume {
  const [pool = "", name = "", ...rest] = path.split("/");
  if (pool === "" || name === "" || rest.length > 0) {
    throw new TgtRefused("invalid-request", `${path} is not POOL/VOLUME`);
  }
  const unset = { sizeBytes: null, create: false, reserveBytes: null, quotaBytes: null };
  return { name: path, config: { driver: "thin", pool, name, ...unset, ...common } };
}
