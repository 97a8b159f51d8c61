import { controlSocketPath, OperationError } from "../control/protocol.ts";
import { ControlClient, type Operations } from "./control-client.ts";
import { closing, JSON_OPTION, STATE_OPTION } from "./pool-access.ts";

/** What all commands that ask the daemon can be told. */
export interface DaemonOptions {
  readonly "state-dir": string | undefined;
  readonly json: boolean;
}

export const DAEMON_OPTIONS: typeof STATE_OPTION & typeof JSON_OPTION = {
  ...STATE_OPTION,
  ...JSON_OPTION,
};

/** Does something with the daemon; there is no way to do it without one. */
export function withDaemon<Result>(
  options: Pick<DaemonOptions, "state-dir">,
  work: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  return closing(new ControlClient(controlSocketPath(options["state-dir"] ?? null)), work);
}

/** Whether there is a daemon that this user may ask. */
export async function daemonAnswers(options: Pick<DaemonOptions, "state-dir">): Promise<boolean> {
  try {
    await withDaemon(options, (daemon) => daemon.call("system/status", {}));
    return true;
  } catch (error) {
    const isNobody = error instanceof OperationError && NOBODY.has(error.kind);
    if (isNobody) return false;
    throw error;
  }
}

/** No daemon is there, or it is somebody else's. */
const NOBODY: ReadonlySet<string> = new Set(["missing", "foreign"]);
