import type { IscsiServer } from "../../../iscsi/server.ts";
import type { Log } from "../../../util/log.ts";
import type { Actor, ControlPlane } from "../../plane/control-plane.ts";
import type { PortalStore } from "../../portal-store.ts";
import type { VolumeStore } from "../../volume-store.ts";
import type { TgtSystem } from "./tgt-system.ts";

/** What tgt's commands are carried out on. */
export interface TgtDaemon {
  readonly log: Log;
  readonly plane: ControlPlane;
  readonly server: Pick<IscsiServer, "targets" | "sessions" | "connections">;
  readonly volumes: Pick<VolumeStore, "volumes" | "refresh">;
  readonly portals: PortalStore;
  readonly system: TgtSystem;
  /** Ends the daemon in order, after the answer. */
  readonly stop: () => void;
}

/** Who changes things, for the log. */
export const TGTADM: Actor = { name: "tgtadm", replacesDisks: true };
