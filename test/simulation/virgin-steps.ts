import { VirginMarks } from "../../src/thin/space/virgin-marks.ts";

/** How far the marks move at once, and with how many extents left to hand out, in place of what pools of common sizes do. */
export interface VirginSteps {
  readonly aheadExtents: number;
  readonly stepExtents: number;
}

// oxlint-disable-next-line typescript/unbound-method -- it is called with its object
const { next: inOneStep } = VirginMarks.prototype;

/**
 * Has the marks of pools move in such steps from now on; null: as they do. A step of theirs is more than a simulated pool has: they would be at
 * its end from the beginning, and nothing would ever happen while one moves.
 */
export function moveMarksBy(steps: VirginSteps | null): void {
  VirginMarks.prototype.next = steps === null ? inOneStep : inSteps(steps);
}

function inSteps({ aheadExtents, stepExtents }: VirginSteps): VirginMarks["next"] {
  return function next(this: VirginMarks, allocatable: number) {
    if (allocatable >= aheadExtents) return null;
    const end = inOneStep.call(this, allocatable);
    if (end === null) return null;
    const step = Math.max(stepExtents, aheadExtents - allocatable);
    return { ...end, from: Math.min(end.from, this.durableMark(end.segment) + step) };
  };
}
