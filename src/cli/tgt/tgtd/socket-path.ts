import { bytesOf } from "../byte-words.ts";
import { socketPathOf } from "../tgtadm/tgtadm.ts";

/** Where tgtadm expects the daemon of a control port. */
export function tgtSocketPath(
  variables: Readonly<Record<string, string | undefined>>,
  controlPort: number,
): string {
  return bytesOf(socketPathOf(variables, controlPort)).toString("utf8");
}
