import type { BlockBytes } from "../../../scsi/logical-unit.ts";
import { LUN_MAX } from "../../../scsi/limits.ts";
import type { LunConfig, TargetConfig } from "../../config/config.ts";
import type { PlaneView } from "../../plane/control-plane.ts";
import { minusLun, plusLun, viewOf, withChangedTarget, withVolume } from "../../plane/edits.ts";
import { defaultScsiId, defaultScsiSn } from "../show/identity.ts";
import type { NewLogicalUnit } from "../tgt-command-lun.ts";
import { nothing, storeOf, volumeOf } from "./backing-store.ts";
import { hasLun, lunNumber, lunOf, targetOfId } from "./find.ts";
import { changeTarget } from "./targets.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** SCSI's peripheral device type of a disk: the one kind of unit that is built in beside the controller. */
const DISK = 0;

/** What a disk of tgt's tells of itself until somebody sets it. */
export const DISK_SETTINGS: LunConfig["settings"] = {
  thinProvisioning: false,
  physicalBlockExponent: 3,
  optimalGranularityBlocks: 0,
  optimalTransferBlocks: 0,
  rotationRate: 0,
};

const BLOCK_BYTES_DEFAULT = 512;

function blockBytesOf({ blockSizeBytes }: NewLogicalUnit): BlockBytes {
  const bytes = blockSizeBytes ?? BLOCK_BYTES_DEFAULT;
  if (bytes === 512 || bytes === 4096) return bytes;
  throw new TgtRefused("invalid-request", `blocks of ${bytes} bytes`);
}

/** A unit to be, its volume, and how it is shown. Refused: invalid-request. */
function newLun(tid: number, lun: number, unit: NewLogicalUnit): LunConfig {
  if (unit.deviceType !== DISK) {
    throw new TgtRefused("invalid-request", `units of type ${unit.deviceType} are not built in`);
  }
  const { type, flags } = storeOf(unit);
  const storePath = unit.path ?? "";
  const { name } = storePath === "" ? nothing() : volumeOf(type, storePath, flags);
  const settings: LunConfig["settings"] = {
    ...DISK_SETTINGS,
    // A volume of a pool is thin; of files, tgt wants to be told.
    ...(type === "thin" ? { thinProvisioning: true } : {}),
    ...(unit.sync ? { writeCache: false } : {}),
    // Without a path there is a drive, and no medium in it.
    ...(storePath === "" ? { online: false, removable: true } : {}),
  };
  return {
    lun,
    volume: name,
    blockBytes: blockBytesOf(unit),
    readOnly: false,
    identity: {},
    settings,
    tgt: {
      scsiId: defaultScsiId(tid, lun),
      scsiSn: defaultScsiSn(tid, lun),
      storeType: type,
      storePath,
      storeFlags: flags,
    },
  };
}

/** The inventory with the volume of a LUN that is to be. Refused: invalid-request where the path is something else by now. */
export function withBacking(view: PlaneView, { tgt }: LunConfig): PlaneView {
  if (tgt === null) return view;
  const { name, config } = volumeOf(tgt.storeType, tgt.storePath, tgt.storeFlags);
  const there = view.all.volumes.get(name);
  if (there !== undefined && there.driver !== config.driver) {
    throw new TgtRefused("invalid-request", `${name} is a volume of another kind`);
  }
  return viewOf(view, withVolume(view, name, config));
}

/** Refused: no-target, lun-exists, invalid-request, unsupported-operation. */
export async function makeLun(
  daemon: TgtDaemon,
  targetId: number,
  lun: bigint,
  unit: NewLogicalUnit,
): Promise<void> {
  await daemon.plane.change(TGTADM, "tgt logicalunit new", (view) => {
    const target = targetOfId(view, targetId);
    if (hasLun(target, lun)) throw new TgtRefused("lun-exists");
    const number = lunNumber(lun);
    if (number < 0 || number > LUN_MAX) {
      throw new TgtRefused("invalid-request", `LUNs go to ${LUN_MAX}`);
    }
    const config = newLun(targetId, number, unit);
    // The unit's names are made of the target's number, which is to stay what it is from now on.
    return withChangedTarget(withBacking(view, config), target.name, (before) =>
      plusLun({ ...before, tid: targetId }, config),
    );
  });
}

/** Initiators that are there are told. Refused: no-lun, where the target is missing, too; unsupported-operation. */
export async function deleteLun(daemon: TgtDaemon, targetId: number, lun: bigint): Promise<void> {
  const isThere = daemon.plane.view.all.targets.some(({ tid }) => tid === targetId);
  if (!isThere) throw new TgtRefused("no-lun");
  await changeTarget(daemon, targetId, "tgt logicalunit delete", (target: TargetConfig) =>
    minusLun(target, lunOf(target, lun).lun),
  );
}
