import { type Difference, diffVolumes } from "../../thin/tools/diff-volumes.ts";
import { type DifferenceReport, EXTENTS_MAX, OperationError, type ReplyOf } from "../protocol.ts";
import { findVolume } from "./find.ts";
import type { OperationRequest } from "./operation.ts";

const KIND: Readonly<Record<Difference["kind"], DifferenceReport["kind"]>> = {
  changed: "changed",
  "only-a": "removed",
  "only-b": "added",
};

/** Where two volumes of a pool may differ, a page of runs at a time; can be stopped. Errors: invalid, missing, io. */
export async function diffSnapshots(
  request: OperationRequest<"snapshot/diff">,
): Promise<ReplyOf<"snapshot/diff">> {
  const { context, body, signal } = request;
  const start = body.offsetBytes;
  const { operated, volume: to } = findVolume(context, body.pool, body.to);
  const from = operated.pool.volume(body.from);
  const sizeBytes = Math.max(from.capacityBytes, to.capacityBytes);
  if (start > sizeBytes) {
    throw new OperationError("invalid", `offsetBytes is past the end of both volumes`);
  }
  const differences: DifferenceReport[] = [];
  for await (const found of diffVolumes(operated.pool.state, from.state, to.state, start)) {
    signal?.throwIfAborted();
    // The leaf in which the page begins is compared as a whole, so the first run may have been told in part.
    const offsetBytes = Math.max(found.offsetBytes, start);
    const lengthBytes = found.offsetBytes + found.lengthBytes - offsetBytes;
    if (lengthBytes <= 0) continue;
    if (differences.length === EXTENTS_MAX) {
      return { sizeBytes, differences, nextOffsetBytes: offsetBytes };
    }
    differences.push({ offsetBytes, lengthBytes, kind: KIND[found.kind] });
  }
  return { sizeBytes, differences, nextOffsetBytes: null };
}
