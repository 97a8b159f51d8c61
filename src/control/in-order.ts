import type { Clock } from "../util/clock.ts";
import { endsWithin } from "./within.ts";

/** How long one may take before the next begins beside it: storage that works answers sooner, one that hangs takes half a minute to be given up. */
const PATIENCE_MS = 1_000;

/**
 * Does something with each of several things, in their order: of two that want the same file, the first has it. What hangs holds the next
 * up for a moment only. Where one fails, no more are begun. Resolves, or rejects as the first that fails, when all that were begun have
 * ended.
 */
export async function eachInOrder<T>(
  clock: Clock,
  things: Iterable<T>,
  work: (thing: T) => Promise<unknown>,
): Promise<void> {
  const begun: Promise<unknown>[] = [];
  let hasFailed = false;
  const failed = (): boolean => (hasFailed = true);
  for (const thing of things) {
    const working = work(thing);
    begun.push(working);
    await endsWithin(clock, PATIENCE_MS, working.then(undefined, failed));
    if (hasFailed) break;
  }
  await Promise.allSettled(begun);
  await Promise.all(begun);
}
