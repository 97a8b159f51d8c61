import { ALL_BLOCKS } from "./content.ts";
import { EXTENTS, HOLE, SECTORS_PER_BLOCK, dataCell, deviceOfExtent } from "./geometry.ts";
import type { Pool } from "./pool.ts";
import { Violation } from "./violation.ts";

/** References that the maps have, and those with what is quarantined. Filled anew by every check. */
const mapped = new Uint8Array(EXTENTS);
const expected = new Uint8Array(EXTENTS);

/** What must hold of the engine's memory whenever nothing is in flight. */
export function checkInvariants(pool: Pool): void {
  mapped.fill(0);
  for (const { entries } of pool.volumes.values()) {
    for (const entry of entries) {
      if (entry === undefined) continue;
      add(mapped, entry.extent);
      if (entry.base !== HOLE) add(mapped, entry.base);
    }
  }
  expected.set(mapped);
  for (const { extent, isCounted } of pool.freeing) if (!isCounted) add(expected, extent);
  for (let extent = 0; extent < EXTENTS; extent += 1) {
    if (pool.references[extent] !== expected[extent]) {
      throw new Violation(
        `extent ${extent} counts ${pool.references[extent]} references and has ${expected[extent]}`,
      );
    }
    if ((pool.pins[extent] ?? 0) !== 0) throw new Violation(`extent ${extent} is still pinned`);
    checkFree(pool, extent, mapped[extent] ?? 0);
  }
}

function add(counts: Uint8Array, extent: number): void {
  counts[extent] = (counts[extent] ?? 0) + 1;
}

function checkFree(pool: Pool, extent: number, references: number): void {
  if (pool.free.has(extent) && references > 0) {
    throw new Violation(`extent ${extent} is free and mapped`);
  }
  if (deviceOfExtent(extent) >= pool.devices && (references > 0 || pool.free.has(extent))) {
    throw new Violation(`extent ${extent} is beyond the pool's capacity`);
  }
  if (!pool.zeroKnown.has(extent)) return;
  for (const block of ALL_BLOCKS) {
    for (let sector = 0; sector < SECTORS_PER_BLOCK; sector += 1) {
      if (!pool.disk.isSettled(dataCell(extent, block, sector), 0)) {
        throw new Violation(`extent ${extent} counts as zeros and is not`);
      }
    }
  }
}
