import { line } from "./lines.ts";
import type { ShownPortal } from "./shown.ts";

function portalLine({ address, port, groupTag }: ShownPortal): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return line(0, `Portal: ${host}:${port},${groupTag}`);
}

/** What `--mode portal --op show` prints: the newest portal first. `portals` are in the order in which they were made. */
export function showPortals(portals: readonly ShownPortal[]): string {
  return [...portals].reverse().map(portalLine).join("");
}
