import { BLOCKS_PER_EXTENT, HOLE, SECTORS_PER_BLOCK, dataCell } from "./geometry.ts";
import type { Entry } from "./metadata.ts";
import type { Pool, Steps } from "./pool.ts";

/** The cell in which a block's sector lives; undefined where it reads as zeros. */
function cellOf(entry: Entry | undefined, block: number, sector: number): number | undefined {
  if (entry === undefined) return undefined;
  const extent = (entry.mask & (1 << block)) === 0 ? entry.base : entry.extent;
  return extent === HOLE ? undefined : dataCell(extent, block, sector);
}

export function readSector(
  pool: Pool,
  entry: Entry | undefined,
  block: number,
  sector: number,
): number {
  const cell = cellOf(entry, block, sector);
  return cell === undefined ? 0 : pool.disk.readData(cell);
}

/** What a block of a new extent is filled from: a value, or the block as `entry` has it. */
export interface BlockSource {
  readonly block: number;
  readonly value: number | undefined;
}

/** Writes blocks of an extent, sector by sector in any order: each may be the last before a crash. */
export function* writeBlocks(
  pool: Pool,
  extent: number,
  sources: readonly BlockSource[],
  old: Entry | undefined,
): Steps {
  const sectors = sources.flatMap(({ block, value }) =>
    Array.from({ length: SECTORS_PER_BLOCK }, (_, sector) => ({ block, value, sector })),
  );
  while (sectors.length > 0) {
    yield undefined;
    const [next] = sectors.splice(pool.random.below(sectors.length), 1);
    if (next === undefined) break;
    const { block, value, sector } = next;
    pool.disk.write(dataCell(extent, block, sector), value ?? readSector(pool, old, block, sector));
  }
  yield undefined;
}

export const ALL_BLOCKS: readonly number[] = Array.from(
  { length: BLOCKS_PER_EXTENT },
  (_, block) => block,
);
