import { StartError } from "../../start-error.ts";
import { OperationError } from "../../protocol.ts";
import type { TgtRefusalName } from "../errors.ts";
import { VolumeError } from "../../../volume/volume-driver.ts";

/** A request that is not carried out, with the error that tgtd has for it. Thrown out of changes, which then change nothing. */
export class TgtRefused extends Error {
  override readonly name = "TgtRefused";
  readonly refusal: TgtRefusalName;

  constructor(refusal: TgtRefusalName, why: string = refusal) {
    super(why);
    this.refusal = refusal;
  }
}

/**
 * The error of tgtd that is nearest to what went wrong; null where it is a defect. What the configuration file has made is not for
 * tgtadm to change: that operation is not supported there.
 */
export function refusalOf(error: unknown): TgtRefusalName | null {
  if (error instanceof TgtRefused) return error.refusal;
  if (error instanceof OperationError) {
    if (error.kind === "internal") return null;
    return error.kind === "foreign" ? "unsupported-operation" : "invalid-request";
  }
  return error instanceof StartError || error instanceof VolumeError ? "invalid-request" : null;
}
