import type { SeededRandom } from "../../src/util/random.ts";
import type { CrashPlan } from "./history.ts";

const CRASH_AGAIN_CHANCE = 0.35;
const CRASHES_AGAIN_MAX = 3;

/** A crash of a round, and where `depth` is 0, of the recoveries after it. */
export function crashOf(random: SeededRandom, depth: number): CrashPlan {
  const again: CrashPlan[] = [];
  if (depth === 0) {
    while (again.length < CRASHES_AGAIN_MAX && random.chance(CRASH_AGAIN_CHANCE)) {
      again.push(crashOf(random, 1));
    }
  }
  return {
    after: random.below(random.pick(depth === 0 ? [4, 12, 40, 120] : [5, 20, 60])),
    kind: random.pick(["kill", "power", "power", "reboot"]),
    again,
  };
}
