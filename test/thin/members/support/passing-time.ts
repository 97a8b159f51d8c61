import { setImmediate as turn } from "node:timers/promises";
import type { ManualClock } from "../../../support/manual-clock.ts";

/** Lets time pass second by second, with turns of the event loop between for what the alarms have begun. */
export async function passSeconds(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000);
    await turn();
    await turn();
  }
}
