import type { IscsiServer } from "../../../iscsi/server.ts";
import { execute } from "../execute/execute.ts";
import type { TgtDaemon } from "../execute/tgt-daemon.ts";
import { TgtSystem } from "../execute/tgt-system.ts";
import { TgtServer } from "./tgt-server.ts";

/** What tgt's commands are carried out on, without what is theirs alone. */
export interface TgtParts extends Omit<TgtDaemon, "system" | "server"> {
  readonly server: TgtDaemon["server"] & Pick<IscsiServer, "suspend">;
}

/** The daemon as tgt's commands see it. */
export interface TgtFace {
  /** State, name service: somebody may subscribe to it. */
  readonly system: TgtSystem;
  /** Resolves when the requests that run are answered. */
  close(): Promise<void>;
}

/**
 * Serves tgt's management protocol.
 *
 * @throws {StartError} another daemon has the socket, or the system refuses
 */
export async function startTgt(parts: TgtParts, socketPath: string): Promise<TgtFace> {
  const log = parts.log.child({ part: "tgt" });
  const system = new TgtSystem();
  system.subscribe(() => parts.server.suspend(!system.isReady));
  const daemon: TgtDaemon = { ...parts, log, system };
  const server = new TgtServer({ log, execute: (request) => execute(daemon, request) });
  await server.listen(socketPath);
  return { system, close: () => server.close() };
}
