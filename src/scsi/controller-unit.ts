import { createHash } from "node:crypto";
import { DeviceType } from "./device-type.ts";
import type { IdentityOptions } from "./identity.ts";
import { LogicalUnit, type LogicalUnitOptions } from "./logical-unit.ts";
import { NoMedium } from "./no-medium.ts";

const PRODUCT = "CONTROLLER";

export interface ControllerUnitOptions
  extends IdentityOptions, Pick<LogicalUnitOptions, "nowMs" | "settings"> {
  /** The iSCSI name of its target: where nothing else is set, the identity follows from it. */
  readonly target: string;
}

/** A UUID of the format that leaves its bits to whoever makes it (RFC 9562 5.8), from a name. */
function uuidOfName(name: string): string {
  const hex = createHash("sha256").update("thinlun controller ").update(name).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const fields = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...fields, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/**
 * The storage array controller that a target has at LUN 0 where its disks are to begin at LUN 1: something that answers
 * INQUIRY and REPORT LUNS there, so that initiators find the others. It has no medium and only the commands that every unit has;
 * its task set, its unit attentions and the management of its tasks are those of any unit.
 */
export function controllerUnit(options: ControllerUnitOptions): LogicalUnit {
  const { target, ...rest } = options;
  return new LogicalUnit({
    product: PRODUCT,
    ...rest,
    volume: new NoMedium(uuidOfName(target), target),
    blockBytes: 512,
    deviceType: DeviceType.storageArrayController,
  });
}
