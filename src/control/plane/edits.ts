import { LUN_MAX } from "../../scsi/limits.ts";
import type { LunConfig, TargetConfig, VolumeConfig } from "../config/config.ts";
import type { Inventory } from "../config/inventory.ts";
import { OperationError } from "../protocol.ts";
import type { PlaneView } from "./control-plane.ts";

/*
 * What changes of the inventory are made of. Each gives the inventory as it is to be, or throws an OperationError that names the thing.
 */

/** A target that commands may change. Errors: missing, foreign: it is the configuration's. */
export function targetOf({ inventory, config }: PlaneView, name: string): TargetConfig {
  const target = inventory.targets.find((one) => one.name === name);
  if (target !== undefined) return target;
  if (config.targets.some((one) => one.name === name)) {
    throw new OperationError(
      "foreign",
      `target ${name} is in the configuration: change it there, and have it read again (SIGHUP)`,
    );
  }
  throw new OperationError("missing", `there is no target ${name}`);
}

/** Errors: exists. */
export function withTarget(view: PlaneView, target: TargetConfig): Inventory {
  if (view.all.targets.some(({ name }) => name === target.name)) {
    throw new OperationError("exists", `there is a target ${target.name} already`);
  }
  return { ...view.inventory, targets: [...view.inventory.targets, target] };
}

/** Errors: missing, foreign. */
export function withChangedTarget(
  view: PlaneView,
  name: string,
  change: (target: TargetConfig) => TargetConfig,
): Inventory {
  const before = targetOf(view, name);
  const targets = view.inventory.targets.map((one) => (one === before ? change(one) : one));
  return withoutUnusedVolumes({ ...view.inventory, targets });
}

/** Errors: missing, foreign. */
export function withoutTarget(view: PlaneView, name: string): Inventory {
  const gone = targetOf(view, name);
  const targets = view.inventory.targets.filter((one) => one !== gone);
  return withoutUnusedVolumes({ ...view.inventory, targets });
}

/** Nothing else has a file or device that is wanted. Errors: exists. */
export function refuseOwned({ all }: PlaneView, path: string): void {
  const pool = [...all.pools].find(
    ([, { devices, autogrow }]) =>
      devices.includes(path) || autogrow?.spares.includes(path) === true,
  );
  if (pool !== undefined) {
    throw new OperationError("exists", `${path} is in the pool "${pool[0]}" already`);
  }
  const volume = [...all.volumes].find(([, it]) => it.driver === "raw" && it.path === path);
  if (volume === undefined) return;
  throw new OperationError(
    "exists",
    `${path} is the volume "${volume[0]}" already: it is mapped by that name`,
  );
}

/** The target with a LUN more. Errors: exists. */
export function plusLun(target: TargetConfig, lun: LunConfig): TargetConfig {
  if (target.luns.some((one) => one.lun === lun.lun)) {
    throw new OperationError("exists", `${target.name} has a LUN ${lun.lun} already`);
  }
  const twin = target.luns.find(({ volume }) => volume === lun.volume);
  // tgt has a unit for each LUN, each with an identity of its own.
  if (twin !== undefined && lun.tgt === null) {
    const message = `${target.name} has ${lun.volume} as LUN ${twin.lun} already`;
    throw new OperationError("exists", message);
  }
  const luns = [...target.luns, lun].toSorted((left, right) => left.lun - right.lun);
  return { ...target, luns };
}

/** The target without a LUN. Errors: missing. */
export function minusLun(target: TargetConfig, lun: number): TargetConfig {
  const luns = target.luns.filter((one) => one.lun !== lun);
  if (luns.length < target.luns.length) return { ...target, luns };
  throw new OperationError("missing", `${target.name} has no LUN ${lun}`);
}

/** The target with a LUN changed. Errors: missing. */
export function changedLun(
  target: TargetConfig,
  lun: number,
  change: (config: LunConfig) => LunConfig,
): TargetConfig {
  const found = target.luns.find((one) => one.lun === lun);
  if (found === undefined) {
    throw new OperationError("missing", `${target.name} has no LUN ${lun}`);
  }
  return { ...target, luns: target.luns.map((one) => (one === found ? change(one) : one)) };
}

/** The lowest LUN, from `least` on, that a target has not, and that is not among those to be left alone while others are free. */
export function freeLun(
  { luns }: TargetConfig,
  least: number,
  avoided: ReadonlySet<number> = new Set(),
): number {
  const used = new Set(luns.map(({ lun }) => lun));
  const lowest = (isTaken: (lun: number) => boolean): number => {
    let lun = least;
    while (isTaken(lun)) lun += 1;
    return lun;
  };
  const lun = lowest((one) => used.has(one) || avoided.has(one));
  return lun <= LUN_MAX ? lun : lowest((one) => used.has(one));
}

/** Names that a volume has where nobody has named it: they say what it is, and it goes with its last LUN. */
export function isImplied(volumeName: string): boolean {
  return volumeName.includes("/");
}

/** The inventory with a volume that a LUN is to lead to, where it is not there yet. */
export function withVolume(view: PlaneView, name: string, config: VolumeConfig): Inventory {
  if (view.all.volumes.has(name)) return view.inventory;
  return { ...view.inventory, volumes: new Map([...view.inventory.volumes, [name, config]]) };
}

/** A view of an inventory on its way, for the next step of the same change. */
export function viewOf(view: PlaneView, inventory: Inventory): PlaneView {
  const { config, all } = view;
  return {
    config,
    inventory,
    all: {
      ...all,
      volumes: new Map([...config.volumes, ...inventory.volumes]),
      targets: [
        ...all.targets.filter(({ name }) => config.targets.some((one) => one.name === name)),
        ...inventory.targets,
      ],
    },
  };
}

/** Volumes that nobody has named go with their last LUN, apart from those that are wanted all the same. */
export function withoutUnusedVolumes(
  inventory: Inventory,
  wanted: ReadonlyMap<string, unknown> = new Map(),
): Inventory {
  const used = new Set(inventory.targets.flatMap(({ luns }) => luns.map(({ volume }) => volume)));
  const kept = [...inventory.volumes].filter(
    ([name]) => !isImplied(name) || used.has(name) || wanted.has(name),
  );
  return kept.length === inventory.volumes.size
    ? inventory
    : { ...inventory, volumes: new Map(kept) };
}
