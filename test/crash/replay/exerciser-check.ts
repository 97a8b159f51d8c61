import { GARBAGE, readTags } from "../../simulation/tags.ts";
import type { Exerciser, RecordedSnapshot } from "./exerciser.ts";
import type { Inspection } from "./inspection.ts";
import type { Allowed } from "./sector-history.ts";

const SECTORS_TOLD_MAX = 8;

/** Compares a volume that was exercised, and its copies, with what may be there when the log ends at a position. */
export async function checkExercised(
  inspection: Inspection,
  exerciser: Exerciser,
  allowed: Allowed,
  position: number,
): Promise<number> {
  const volume = inspection.pool.volume("disk");
  expectSectors("disk", await inspection.content(volume), (sector, serial) =>
    allowed.allows(sector, serial) ? null : allowed.wanted(sector),
  );
  let sectors = allowed.values.length;
  for (const snapshot of exerciser.snapshots) {
    if (await checkSnapshot(inspection, snapshot, position)) sectors += snapshot.serials.length;
  }
  return sectors;
}

/** Whether it is there. */
async function checkSnapshot(
  inspection: Inspection,
  snapshot: RecordedSnapshot,
  position: number,
): Promise<boolean> {
  const { name, serials, begunAt, madeAt, deletedFrom, deletedAt } = snapshot;
  const found = inspection.find(name);
  if (found === undefined) {
    if (madeAt > position || deletedFrom <= position) return false;
    throw new Error(`snapshot ${name} is missing`);
  }
  if (begunAt > position || deletedAt <= position) {
    throw new Error(`snapshot ${name} is there, and should not be`);
  }
  expectSectors(name, await inspection.content(found), (sector, serial) =>
    serials[sector] === serial ? null : [serials[sector] ?? 0],
  );
  return true;
}

/** `check` returns null where the serial is right, otherwise the right ones. */
function expectSectors(
  name: string,
  content: Buffer,
  check: (sector: number, serial: number) => readonly number[] | null,
): void {
  const wrong: string[] = [];
  for (const [sector, tag] of readTags(content).entries()) {
    const isMisplaced = tag.serial === GARBAGE || (tag.serial !== 0 && tag.lba !== sector);
    const wanted = check(sector, isMisplaced ? GARBAGE : tag.serial);
    if (wanted === null) continue;
    const found = tag.serial === GARBAGE ? "garbage" : `write ${tag.serial} of sector ${tag.lba}`;
    wrong.push(`sector ${sector} has ${found}, wanted write ${wanted.join(" or ")}`);
    if (wrong.length === SECTORS_TOLD_MAX) break;
  }
  if (wrong.length > 0) throw new Error(`volume ${name}: ${wrong.join("; ")}`);
}
