import { appendRecord, syncBarrier } from "../log/promises.ts";
import type { PoolParts } from "./pool-parts.ts";

/**
 * Moves the virgin marks on where it is time, so that the allocator never waits for one (rule V): the record first, then a
 * barrier, which lets the extents go. Errors as IoError.
 */
export async function moveVirginMarks(
  parts: Pick<PoolParts, "state" | "journal" | "barrier">,
): Promise<void> {
  const { space } = parts.state;
  for (;;) {
    const next = space.nextVirgin();
    if (next === null) return;
    await appendRecord(parts.journal, { kind: "virgin", segment: next.segment, from: next.from });
    await syncBarrier(parts.barrier);
  }
}
