import { stat } from "node:fs/promises";
import { ControlClient } from "../../control-client.ts";
import { bytesOf } from "../byte-words.ts";
import type { Surroundings } from "../ending.ts";
import { socketPathOf } from "../tgtadm/tgtadm.ts";
import type { ApplyClient } from "./apply-client.ts";

/** What stands behind the name of the socket for tgt's commands where thinlun listens there: a link to its own socket. */
const CONTROL_SUFFIX = ".thinlun";

/** The daemon behind a control port, where it is thinlun's; null for a tgtd. */
export async function findApplyClient(
  controlPort: string,
  variables: Surroundings["variables"],
): Promise<ApplyClient | null> {
  const path = `${socketPathOf(variables, Number(controlPort))}${CONTROL_SUFFIX}`;
  const text = bytesOf(path).toString("utf8");
  const found = await stat(text).catch(() => undefined);
  return found?.isSocket() === true ? new ControlClient(text) : null;
}
