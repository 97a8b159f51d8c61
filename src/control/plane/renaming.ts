import type { Pool } from "../../thin/pool/pool.ts";
import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { LunConfig, VolumeConfig } from "../config/config.ts";
import type { Inventory } from "../config/inventory.ts";
import { OperationError } from "../protocol.ts";
import type { Creation } from "../state-document.ts";
import type { PlaneView } from "./control-plane.ts";

/*
 * A volume of a pool gets another name: in the pool, which has the volumes, and in the inventory, which leads to them by name. The two are kept
 * in two places, so what is about to be done is written down first, and taken back where the inventory was not kept after it.
 */

/** A volume of a pool that gets another name there. */
export interface VolumeRenaming {
  readonly pool: string;
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
}

type Volumes = ReadonlyMap<string, VolumeConfig>;

/** The names under which volumes lead to one of a pool. */
export function namesOf(volumes: Volumes, pool: string, itsName: string): readonly string[] {
  return [...volumes].flatMap(([name, config]) =>
    config.driver === "thin" && config.pool === pool && (config.name ?? name) === itsName
      ? [name]
      : [],
  );
}

/** What a volume is called afterwards: POOL/VOLUME says what it is, and follows; a name that somebody has given it stays. */
export function nameAfter(name: string, { pool, from, to }: VolumeRenaming): string {
  return name === `${pool}/${from}` ? `${pool}/${to}` : name;
}

/** The inventory as it is once the volume has its new name: whatever has led to it leads to it still. */
export function renamedInventory(inventory: Inventory, renaming: VolumeRenaming): Inventory {
  const { pool, from, to } = renaming;
  const names = new Set(namesOf(inventory.volumes, pool, from));
  if (names.size === 0) return inventory;
  const volumes = Array.from(inventory.volumes, ([name, config]): [string, VolumeConfig] =>
    names.has(name) && config.driver === "thin"
      ? [nameAfter(name, renaming), { ...config, name: to }]
      : [name, config],
  );
  const lunAfter = (lun: LunConfig): LunConfig => {
    if (!names.has(lun.volume)) return lun;
    const volume = nameAfter(lun.volume, renaming);
    const { tgt } = lun;
    const isShown = tgt !== null && tgt.storePath === lun.volume;
    return { ...lun, volume, tgt: isShown ? { ...tgt, storePath: volume } : tgt };
  };
  const targets = inventory.targets.map((target) => ({
    ...target,
    luns: target.luns.map(lunAfter),
  }));
  return { ...inventory, volumes: new Map(volumes), targets };
}

/** The change of the inventory. Errors: foreign: the configuration leads to it; exists: something waits for a volume of the new name. */
export function withRenamed(view: PlaneView, renaming: VolumeRenaming): Inventory {
  const { pool, from, to } = renaming;
  const [configured] = namesOf(view.config.volumes, pool, from);
  if (configured !== undefined) {
    throw new OperationError(
      "foreign",
      `volume ${from} of pool ${pool} is ${configured} in the configuration, which finds it by its name: take it out there first, ` +
        "and have it read again (SIGHUP)",
    );
  }
  const [waiting] = namesOf(view.all.volumes, pool, to);
  if (waiting !== undefined) {
    throw new OperationError(
      "exists",
      `${waiting} leads to a volume ${to} of pool ${pool}, and would lead to this one: take it away first`,
    );
  }
  return renamedInventory(view.inventory, renaming);
}

/** What is written down before it is done. */
export function renamingCreation(renaming: VolumeRenaming): Creation {
  return { kind: "renaming", name: `${renaming.pool}/${renaming.to}`, ...renaming };
}

/** Does it in the pool. Errors: missing, invalid, exists, failed. */
export async function renameInPool(
  pool: Pool | undefined,
  { pool: poolName, uuid, from, to }: VolumeRenaming,
): Promise<void> {
  if (pool === undefined) throw new OperationError("missing", `pool ${poolName} is not open`);
  const volume = pool.volume(uuid);
  if (volume.attributes.name !== from) {
    const now = volume.attributes.name;
    throw new OperationError("busy", `volume ${from} of pool ${poolName} is called ${now} by now`);
  }
  await pool.rename(volume, to, { whileUsed: true });
}

/** Takes it back: a volume is renamed as a whole, with all that leads to it, or not at all. */
export async function renameBack(
  pool: Pool | undefined,
  { uuid, from, to }: VolumeRenaming,
): Promise<"taken back" | "never made" | "kept: it is something else" | "unknown"> {
  if (pool === undefined) return "unknown";
  const volumes = pool.volumes();
  const named = (name: string): ThinVolume | undefined =>
    volumes.find(({ attributes }) => attributes.name === name);
  const volume = volumes.find(({ attributes }) => attributes.uuid === uuid);
  if (volume === undefined || volume.attributes.name === from) return "never made";
  if (volume.attributes.name !== to || named(from) !== undefined) {
    return "kept: it is something else";
  }
  await pool.rename(volume, from, { whileUsed: true });
  return "taken back";
}
