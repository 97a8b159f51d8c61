import { ALL_BLOCKS } from "./content.ts";
import { EXTENTS, SECTORS_PER_BLOCK, dataCell, deviceOfExtent } from "./geometry.ts";
import type { Pool } from "./pool.ts";
import { referencesOf } from "./space.ts";
import { Violation } from "./violation.ts";

/** What must hold of the engine's memory whenever nothing is in flight. */
export function checkInvariants(pool: Pool): void {
  const expected = Array.from({ length: EXTENTS }, () => 0);
  const add = (extent: number): void => {
    expected[extent] = (expected[extent] ?? 0) + 1;
  };
  for (const { entries } of pool.volumes.values()) {
    for (const entry of entries) referencesOf(entry).forEach(add);
  }
  const mapped = [...expected];
  for (const { extent, isCounted } of pool.freeing) if (!isCounted) add(extent);
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

function checkFree(pool: Pool, extent: number, mapped: number): void {
  if (pool.free.has(extent) && mapped > 0) {
    throw new Violation(`extent ${extent} is free and mapped`);
  }
  if (deviceOfExtent(extent) >= pool.devices && (mapped > 0 || pool.free.has(extent))) {
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
