import type { SeededRandom } from "../../../src/util/random.ts";
import type { DeviceLog } from "./device-log.ts";
import type { Loss } from "./replay.ts";

/** Where a log is cut, and what is lost. */
export interface Cut {
  readonly position: number;
  readonly loss: Loss;
}

const KILL_CHANCE = 0.1;

/** Cuts at random positions from `from` on, and right after every flush there; in order. */
export function chooseCuts(
  log: DeviceLog,
  from: number,
  count: number,
  random: SeededRandom,
): Cut[] {
  const cuts: Cut[] = [];
  for (let position = from; position < log.position; position += 1) {
    if (log.entries[position]?.kind === "flush") cuts.push({ position: position + 1, loss: "all" });
  }
  for (let index = 0; index < count; index += 1) {
    const position = random.between(from, log.position);
    cuts.push({ position, loss: random.chance(KILL_CHANCE) ? "none" : "random" });
  }
  return cuts.toSorted((left, right) => left.position - right.position);
}
