import type { LunConfig, TargetConfig } from "../../config/config.ts";
import { changedLun, minusLun, plusLun, withChangedTarget } from "../../plane/edits.ts";
import { isSameDisk } from "../../units.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { hasLun, lunOf, sessionsOf, targetOfId } from "./find.ts";
import { withLunSetting } from "./lun-settings.ts";
import { withBacking } from "./luns.ts";
import { changeTarget } from "./targets.ts";
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
    await plane.exclusively(() => daemon.volumes.refresh(plane.view.all.volumes));
  }
}

/**
 * Initiators that are there lose the unit and find another one under its number, as they were told of both. Where the second step fails,
 * the first is taken back.
 */
async function replaceUnderSessions(
  daemon: TgtDaemon,
  update: LunUpdate,
  before: LunConfig,
): Promise<void> {
  const { plane } = daemon;
  const { targetId } = update;
  const after = updated(daemon, targetOfId(plane.view, targetId), update);
  const put = (lun: LunConfig): Promise<unknown> =>
    plane.change(TGTADM, OPERATION, (view) =>
      withChangedTarget(withBacking(view, lun), targetOfId(view, targetId).name, (target) =>
        plusLun(target, lun),
      ),
    );
  await changeTarget(daemon, targetId, OPERATION, (target) => minusLun(target, before.lun));
  try {
    await put(after);
  } catch (error) {
    await put(before);
    throw error;
  }
}
