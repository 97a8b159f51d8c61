import { SeededRandom } from "../../src/util/random.ts";
import type { CrashPlan, History, Operation, Round } from "./history.ts";
import type { Profile } from "./profiles.ts";

/** Histories that head for one thing, with all else left to chance. */

const UINT32_RANGE = 2 ** 32;
/** Long before anything makes the first write durable. */
const LATER_MS = 100;
/** More moments than two writes have. */
const MOMENTS = 30;

/** More than any round here has. */
const AT_THE_END = 1000;

const SMALL_VOLUMES = 6;
const SMALL_WRITES = 10;

const SECTOR_BYTES = 512;

function operationOf(part: Partial<Operation> & Pick<Operation, "kind">): Operation {
  return { delayMs: 0, volume: 0, other: 0, place: 0, length: 0, choice: 0, ...part };
}

/**
 * A volume and its copy are written at the same place, one soon after the other; then the power goes. Each has leaves of its own before, so that
 * nothing but the extent is shared: one of them takes another, and the other must not have the first for itself before that is durable.
 */
export function writesToCopies(seed: number, profile: Profile): History {
  const random = new SeededRandom(seed);
  const round = (operations: readonly Operation[], crash?: CrashPlan): Round => {
    const calm = {
      seed: random.below(UINT32_RANGE),
      operations,
      faults: [],
      idleMs: 0,
      pagesMs: 0,
    };
    return { ...calm, crash, isClosed: false };
  };
  // Draws for a whole extent of the first volume, or of the copy, which is the third.
  const write = (volume: 0 | 2, extent: 0 | 1): Operation => {
    const place = (extent * profile.extentBytes) / SECTOR_BYTES;
    return operationOf({ kind: "write", volume, place, choice: 4 });
  };
  const crash = { after: random.below(MOMENTS), kind: "power", again: [] } as const;
  const rounds = [
    round([write(0, 0)]),
    round([operationOf({ kind: "clone" })]),
    round([write(0, 1), write(2, 1)]),
    round([operationOf({ kind: "sync" })]),
    round([write(0, 0), { ...write(2, 0), delayMs: random.below(LATER_MS) }], crash),
  ];
  return { seed, profile, rounds };
}

/**
 * What was written and flushed is unmapped behind records that a loss of power discards; the process is killed, and its recovery cut off by such a
 * loss: what the unmap has freed has no pages of the recovery's checkpoint, which are many, as long as the data there may come back.
 */
export function unmapsBeforeKill(seed: number, profile: Profile): History {
  const random = new SeededRandom(seed);
  const round = (...operations: readonly Operation[]): Round => {
    const calm = { faults: [], idleMs: 0, pagesMs: 0, crash: undefined, isClosed: false };
    return { seed: random.below(UINT32_RANGE), operations, ...calm };
  };
  const sectors = (Math.ceil(profile.volumeExtents / 2) * profile.extentBytes) / SECTOR_BYTES;
  const all = { volume: 0, length: sectors - 1 };
  const create = operationOf({ kind: "create", length: 3, choice: 1 });
  const small = Array.from({ length: SMALL_WRITES }, (_, index) =>
    operationOf({ kind: "write", volume: 1 + index, place: random.uint32(), choice: 1 }),
  );
  const unmap = operationOf({ ...all, kind: "unmapLarge", delayMs: LATER_MS });
  const power = { after: random.below(MOMENTS), kind: "power", again: [] } as const;
  const crash = { after: AT_THE_END, kind: "kill", again: [power] } as const;
  const rounds = [
    round(operationOf({ ...all, kind: "writeLarge" })),
    round(...Array.from({ length: SMALL_VOLUMES }, () => create)),
    round(operationOf({ kind: "sync" })),
    round(operationOf({ kind: "checkpoint" })),
    { ...round(...small, unmap), crash },
  ];
  return { seed, profile, rounds };
}
