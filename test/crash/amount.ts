/** How much the crash suite does: all of it under CI=true, otherwise enough to notice what is badly broken. */
const isContinuousIntegration: boolean = process.env["CI"] === "true";

function amount(variable: string, short: number, full: number): number {
  const wanted = process.env[variable];
  if (wanted !== undefined && /^\d+$/.test(wanted)) return Number(wanted);
  return isContinuousIntegration ? full : short;
}

/** Of the pool program, over all test files. */
export const KILLS: number = amount("THINLUN_CRASH_KILLS", 40, 500);

/** Of device logs, cut at a random place, over all test files. */
export const REPLAYS: number = amount("THINLUN_CRASH_REPLAYS", 600, 10_000);
