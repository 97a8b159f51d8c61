import { foreignText, line } from "./lines.ts";
import type { ShownNexus } from "./shown.ts";

function sessionLines(nexus: ShownNexus): string {
  const name = foreignText(nexus.initiatorName);
  const connections = nexus.connections.map(
    ({ cid, address }) =>
      line(1, `Connection: ${cid}`) +
      line(2, `Initiator: ${name}`) +
      line(2, `IP Address: ${address}`),
  );
  return line(0, `Session: ${nexus.sid}`) + connections.join("");
}

/**
 * What `--mode conn --op show` prints for a target, whatever session and connection the request names: all of them, the newest session
 * first. `nexuses` are in the order of {@link ShownNexus} in a target, the oldest first.
 */
export function showConnections(nexuses: readonly ShownNexus[]): string {
  return [...nexuses].reverse().map(sessionLines).join("");
}
