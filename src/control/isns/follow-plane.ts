import { isIP } from "node:net";
import type { ControlPlane } from "../plane/control-plane.ts";
import type { OpenPortal } from "../portal-store.ts";
import type { IsnsClient } from "./client.ts";
import { registrationOf } from "./registration.ts";

export interface FollowOptions {
  readonly client: Pick<IsnsClient, "register">;
  readonly plane: Pick<ControlPlane, "view" | "subscribe">;
  readonly portals: () => readonly OpenPortal[];
  /** Those that stand for a portal which listens on all of them. */
  readonly hostAddresses: () => readonly string[];
}

/** Keeps what is registered as the control plane has it, from now on. Returns how to end that. */
export function followPlane({ client, plane, portals, hostAddresses }: FollowOptions): () => void {
  const refresh = (): void => {
    const reached = portals().map(({ config: { advertise, group }, endpoint }) => ({
      // Servers take addresses; a name that initiators are told is not one.
      endpoint: advertise !== null && isIP(advertise.address) !== 0 ? advertise : endpoint,
      group,
    }));
    client.register(registrationOf(plane.view.all, reached, hostAddresses()));
  };
  refresh();
  return plane.subscribe(refresh);
}
