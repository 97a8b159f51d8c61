import type { Clock } from "../util/clock.ts";

/** Waits for work, but no longer than this. Whether it has ended; it goes on where it has not. Rejects as the work does. */
export async function endsWithin(
  clock: Clock,
  timeoutMs: number,
  work: Promise<unknown>,
): Promise<boolean> {
  let resolve: () => void = () => undefined;
  const tooLong = new Promise<void>((settle) => (resolve = settle));
  const timer = clock.after(timeoutMs, resolve);
  try {
    return await Promise.race([work.then(() => true), tooLong.then(() => false)]);
  } finally {
    timer.cancel();
  }
}
