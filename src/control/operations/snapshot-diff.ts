import { changedExtents } from "../../thin/io/changed-extents.ts";
import { EXTENTS_MAX, type ExtentsReply, OperationError } from "../protocol.ts";
import { Arguments } from "./arguments.ts";
import { findVolume } from "./find.ts";
import type { OperationRequest } from "./operation.ts";

/** Where two volumes of a pool may differ, a page of runs at a time. Errors: invalid, missing, io. */
export async function diffSnapshots({ context, body }: OperationRequest): Promise<ExtentsReply> {
  const given = new Arguments(body, ["pool", "from", "to", "offsetBytes"]);
  const offsetBytes = given.bytes("offsetBytes");
  const { operated, volume: to } = findVolume(context, given.text("pool"), given.text("to"));
  const from = operated.pool.volume(given.text("from"));
  if (offsetBytes > to.capacityBytes) {
    throw new OperationError("invalid", `offsetBytes is past the end of ${to.attributes.name}`);
  }
  const changed = await changedExtents(from, to, offsetBytes, EXTENTS_MAX);
  return { sizeBytes: to.capacityBytes, ...changed };
}
