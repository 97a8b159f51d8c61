import type { LunConfig, TargetConfig } from "../../config/config.ts";
import type { Edit } from "../../plane/control-plane.ts";
import { changedLun, minusLun, plusLun, withChangedTarget } from "../../plane/edits.ts";
import { isSameDisk } from "../../units.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { hasLun, lunOf, sessionsOf, targetOfId } from "./find.ts";
import { withLunSetting } from "./lun-settings.ts";
import { withBacking } from "./luns.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** Settings of a logical unit: all of them, or with an error none. */
export interface LunUpdate {
  readonly targetId: number;
  readonly lun: bigint;
  readonly settings: readonly TgtSetting[];
}

const OPERATION = "tgt logicalunit update";

/** The LUN as it is to be. Refused: no-lun, invalid-request, prevent-removal. */
function updated(daemon: TgtDaemon, target: TargetConfig, update: LunUpdate): LunConfig {
  const { lun, settings } = update;
  if (lun === 0n && hasLun(target, lun) && target.tgt !== null) {
    throw new TgtRefused("invalid-request", "a controller has nothing that can be set");
  }
  const before = lunOf(target, lun);
  const unit = daemon.server.targets.get(target.name)?.device.units.get(before.lun);
  const isHeld = unit?.removalPrevented ?? false;
  let after = before;
  for (const setting of settings) after = withLunSetting(after, setting, isHeld);
  return after;
}

/** Refused: no-target, no-lun, invalid-request, prevent-removal, unsupported-operation. */
export async function updateLun(daemon: TgtDaemon, update: LunUpdate): Promise<void> {
  const { plane } = daemon;
  const target = targetOfId(plane.view, update.targetId);
  const before = target.luns.find(({ lun }) => BigInt(lun) === update.lun);
  const after = updated(daemon, target, update);
  const isReplaced = before !== undefined && !isSameDisk(before, after);
  if (isReplaced && sessionsOf(daemon.server, target.name).length > 0) {
    await replaceUnderSessions(daemon, update, before);
  } else {
    await plane.change(TGTADM, OPERATION, (view) => {
      const current = targetOfId(view, update.targetId);
      const lun = updated(daemon, current, update);
      return withChangedTarget(withBacking(view, lun), current.name, (one) =>
        changedLun(one, lun.lun, () => lun),
      );
    });
  }
  if (update.settings.some(({ key }) => key === "path")) {
    await plane.exclusively(() => daemon.volumes.refresh(plane.view.all.volumes), OPERATION);
  }
}

/** Initiators that are there lose the unit and find another one under its number, as they were told of both. */
async function replaceUnderSessions(
  daemon: TgtDaemon,
  update: LunUpdate,
  before: LunConfig,
): Promise<void> {
  const { plane } = daemon;
  const { targetId } = update;
  const after = updated(daemon, targetOfId(plane.view, targetId), update);
  const without: Edit = (view) =>
    withChangedTarget(view, targetOfId(view, targetId).name, (target) =>
      minusLun(target, before.lun),
    );
  const replaced: Edit = (view) =>
    withChangedTarget(withBacking(view, after), targetOfId(view, targetId).name, (target) =>
      plusLun(target, after),
    );
  await plane.changeInTwo(TGTADM, OPERATION, without, replaced);
}
