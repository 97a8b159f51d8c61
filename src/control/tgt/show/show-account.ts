import { line } from "./lines.ts";
import type { ShownAccounts } from "./shown.ts";

/** The accounts of a target or of discovery, one a line, at a depth of `steps`; the outgoing one last. */
export function accountLines(accounts: ShownAccounts, steps: number): string {
  const names = [...accounts.incoming];
  if (accounts.outgoing !== undefined) names.push(`${accounts.outgoing} (outgoing)`);
  return names.map((name) => line(steps, name)).join("");
}

/**
 * What `--mode account --op show` prints: the newest account first, and nothing at all where there is none.
 *
 * @param names of all accounts, bound or not, in the order in which they were made
 */
export function showAccounts(names: readonly string[]): string {
  if (names.length === 0) return "";
  const newestFirst = [...names].reverse();
  return line(0, "Account list:") + newestFirst.map((name) => line(1, name)).join("");
}
