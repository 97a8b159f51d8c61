import { inWordsOf, readTags } from "../../simulation/tags.ts";
import { type Exerciser, type RecordedSnapshot, SECTOR_BYTES } from "./exerciser.ts";
import type { Inspection } from "./inspection.ts";
import type { Allowed } from "./sector-history.ts";
import type { TagReader } from "./tag-reader.ts";

const SECTORS_TOLD_MAX = 8;

/** Compares a volume that was exercised, and its copies, with what may be there when the log ends at a position. */
export async function checkExercised(
  inspection: Inspection,
  exerciser: Exerciser,
  allowed: Allowed,
  position: number,
  reader: TagReader,
): Promise<number> {
  const disk = await inspection.content(inspection.pool.volume("disk"));
  expectSectors("disk", disk, reader, (sector, serial) =>
    allowed.allows(sector, serial) ? null : allowed.wanted(sector),
  );
  let sectors = allowed.values.length;
  for (const snapshot of exerciser.snapshots) {
    if (!isThere(inspection, snapshot, position)) continue;
    const { name, serials } = snapshot;
    const content = await inspection.content(inspection.pool.volume(name));
    expectSectors(name, content, reader, (sector, serial) =>
      serials[sector] === serial ? null : [serials[sector] ?? 0],
    );
    sectors += serials.length;
  }
  return sectors;
}

/** @throws {Error} it is there and should not be, or the other way round */
function isThere(inspection: Inspection, snapshot: RecordedSnapshot, position: number): boolean {
  const { name, begunAt, madeAt, deletedFrom, deletedAt } = snapshot;
  if (inspection.find(name) === undefined) {
    if (madeAt > position || deletedFrom <= position) return false;
    throw new Error(`snapshot ${name} is missing`);
  }
  if (begunAt <= position && deletedAt > position) return true;
  throw new Error(`snapshot ${name} is there, and should not be`);
}

/** `check` returns null where the serial is right, otherwise the right ones. */
function expectSectors(
  name: string,
  content: Buffer,
  reader: TagReader,
  check: (sector: number, serial: number) => readonly number[] | null,
): void {
  const wrong: string[] = [];
  for (const [sector, serial] of reader.read(name, content).entries()) {
    const wanted = check(sector, serial);
    if (wanted === null) continue;
    const at = sector * SECTOR_BYTES;
    const [tag] = readTags(Buffer.from(content.subarray(at, at + SECTOR_BYTES)));
    const found = tag === undefined ? "nothing" : inWordsOf(tag);
    wrong.push(`sector ${sector} has ${found}, wanted write ${wanted.join(" or ")}`);
    if (wrong.length === SECTORS_TOLD_MAX) break;
  }
  if (wrong.length > 0) throw new Error(`volume ${name}: ${wrong.join("; ")}`);
}
