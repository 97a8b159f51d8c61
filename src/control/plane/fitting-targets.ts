import type { Log } from "../../util/log.ts";
import { addedProblems, checkInventory } from "../config/check-inventory.ts";
import type { TargetConfig } from "../config/config.ts";
import type { PlaneView } from "./control-plane.ts";

/**
 * All targets, without the LUNs of commands that do not fit beside the configuration, as it has become while the daemon was not running:
 * a disk with other blocks than it had, or writable where it must not be, is none that initiators should find. The log tells of them.
 */
export function fittingTargets(
  { config, inventory, all }: PlaneView,
  log: Log,
): readonly TargetConfig[] {
  if (checkInventory(config, inventory).length === 0) return all.targets;
  let targets = inventory.targets.map((target): TargetConfig => ({ ...target, luns: [] }));
  let problems = checkInventory(config, { ...inventory, targets });
  for (const [index, { name, luns }] of inventory.targets.entries()) {
    for (const lun of luns) {
      const tried = targets.map((target, at) =>
        at === index ? { ...target, luns: [...target.luns, lun] } : target,
      );
      const now = checkInventory(config, { ...inventory, targets: tried });
      const added = addedProblems(problems, now);
      if (added.length > 0) {
        const fields = { target: name, lun: lun.lun, volume: lun.volume, problems: added };
        log.error(fields, "LUN left out: it does not fit what the configuration has by now");
        continue;
      }
      targets = tried;
      problems = now;
    }
  }
  const fitting = new Map(targets.map(({ name, luns }) => [name, luns]));
  return all.targets.map((target) => ({
    ...target,
    luns: fitting.get(target.name) ?? target.luns,
  }));
}
