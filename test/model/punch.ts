import { ALL_BLOCKS } from "./content.ts";
import type { Disk } from "./disk.ts";
import { SECTORS_PER_BLOCK, dataCell } from "./geometry.ts";
import type { Pool, Steps } from "./pool.ts";

/**
 * Zeroes an extent, as a helper process does it: what it has still to do outlives the daemon, because nobody kills
 * the helper with it.
 */
export function* punchCells(pool: Pool, extent: number): Steps {
  const cells = ALL_BLOCKS.flatMap((block) =>
    Array.from({ length: SECTORS_PER_BLOCK }, (_, sector) => dataCell(extent, block, sector)),
  );
  pool.punching.add(cells);
  while (cells.length > 0) {
    yield undefined;
    const [cell] = cells.splice(pool.random.below(cells.length), 1);
    if (cell !== undefined) pool.disk.write(cell, 0);
  }
  pool.punching.delete(cells);
  yield undefined;
}

/** The cells that helpers of a killed daemon have still to zero. */
export function orphanedCells(pool: Pool): number[] {
  return [...pool.punching].flat();
}

/** What is left of a punch comes to its end, or to none. */
export function* finishOrphans(disk: Disk, cells: readonly number[]): Steps {
  for (const cell of cells) {
    yield undefined;
    disk.write(cell, 0);
  }
}
