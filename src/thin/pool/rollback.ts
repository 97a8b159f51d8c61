import type { JournalRecord } from "../format/records.ts";
import type { ThinVolume } from "../io/thin-volume.ts";
import { PoolError } from "../pool-error.ts";
import { checkOvercommit, checkPromises } from "./checks.ts";
import { commitAtInstant } from "./commit.ts";
import { checkLeafSlots } from "./map-space.ts";
import type { PoolParts } from "./pool-parts.ts";
import { checkReservationsKept } from "./snapshots.ts";

/**
 * Makes a volume, in content and size, what `source` is; both can be in use. Reads of the volume are waited for: what they read goes
 * away. The source is gated too, or a write that was decided when its extent was its own would land in both (rule N).
 * Errors: invalid, missing, space, failed.
 */
export async function rollback(
  parts: PoolParts,
  volume: ThinVolume,
  source: ThinVolume,
): Promise<void> {
  parts.volumes.mustHave(volume);
  parts.volumes.mustHave(source);
  const { name, readOnly } = volume.attributes;
  if (volume === source) throw new PoolError("invalid", `${name} is what it is already`);
  if (readOnly) throw new PoolError("invalid", `${name} is read-only: it is not rolled back`);
  const sizeBytes = volume.attributes.sizeBytes;
  checkPromises({ ...volume.attributes, sizeBytes: source.attributes.sizeBytes });
  checkOvercommit(parts.state, source.attributes.sizeBytes - sizeBytes);
  checkLeafSlots(parts.state, [Math.max(0, source.attributes.sizeBytes - sizeBytes)]);
  const record: JournalRecord = {
    kind: "rollback",
    volume: volume.attributes.id,
    source: source.attributes.id,
  };
  await commitAtInstant(
    parts,
    [volume, source],
    { reads: true },
    {
      records: [record],
      check: () => checkReservationsKept(parts.state, [volume, source]),
      applied: (seq) => {
        parts.ownership.changed(seq);
        // Before the first command after it is let in.
        volume.emit("content-replaced");
        if (volume.capacityBytes !== sizeBytes) volume.emit("capacity-changed");
      },
    },
  );
  parts.listeners.emit({ kind: "volumes-changed" });
}
