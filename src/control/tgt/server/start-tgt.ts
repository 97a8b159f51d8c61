import type { IscsiServer } from "../../../iscsi/server.ts";
import { systemClock } from "../../../util/clock.ts";
import type { Log } from "../../../util/log.ts";
import { IsnsClient } from "../../isns/client.ts";
import { followPlane } from "../../isns/follow-plane.ts";
import {
  defaultEntity,
  hostAddresses,
  type IsnsNetwork,
  systemNetwork,
} from "../../isns/network.ts";
import type { PortalStore } from "../../portal-store.ts";
import { execute } from "../execute/execute.ts";
import type { TgtDaemon } from "../execute/tgt-daemon.ts";
import { TgtSystem } from "../execute/tgt-system.ts";
import type { DebugSwitch } from "./debug-switch.ts";
import { linkControlSocket } from "./control-link.ts";
import { TgtServer } from "./tgt-server.ts";

/** What tgt's commands are carried out on, without what is theirs alone. */
export interface TgtParts extends Omit<TgtDaemon, "system" | "server"> {
  readonly server: TgtDaemon["server"] & Pick<IscsiServer, "suspend" | "restrictLogins">;
  /** How a name server is reached; as this host does unless told otherwise. */
  readonly isnsNetwork?: IsnsNetwork;
  /** The daemon's own socket, which tgt-admin finds beside tgt's; left out: it does not. */
  readonly controlSocket?: string;
  /** Left out: "debug" is only shown. */
  readonly debug?: DebugSwitch;
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
  const system = new TgtSystem(parts.debug?.isOn ?? false);
  system.subscribe(({ debug }) => parts.debug?.turn(debug));
  system.subscribe(() => parts.server.suspend(!system.isReady));
  const names = startNameService(parts, log, system);
  const daemon: TgtDaemon = { ...parts, log, system };
  const server = new TgtServer({ log, execute: (request) => execute(daemon, request) });
  let unlink = (): Promise<void> => Promise.resolve();
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), names.close(), unlink()]);
  };
  try {
    await server.listen(socketPath);
    if (parts.controlSocket !== undefined) {
      unlink = await linkControlSocket(socketPath, parts.controlSocket);
    }
    return { system, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The client of the iSCSI name service, which does what `--mode sys --op update` says: nothing to begin with. */
function startNameService(
  { server, plane, portals, isnsNetwork = systemNetwork }: TgtParts,
  log: Log,
  system: TgtSystem,
): { readonly close: () => Promise<void> } {
  const entity = defaultEntity();
  const client = new IsnsClient({ network: isnsNetwork, clock: systemClock, log, entity });
  const listening = (): PortalStore["portals"] => portals.portals;
  const endFollowing = followPlane({ client, plane, portals: listening, hostAddresses });
  const end = system.subscribe(({ isns }) => client.configure(isns));
  server.restrictLogins((target, initiator) => client.allows(target, initiator));
  const close = async (): Promise<void> => {
    end();
    endFollowing();
    await client.close();
  };
  return { close };
}
