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
  /** What tgtd was started with for targets that say nothing else: `nop_interval` and `nop_count`, as text. Left out: nothing. */
  readonly nopOptions?: ReadonlyMap<string, string>;
  /** Ends the daemon in order, after the answer. */
  readonly stop: () => void;
}

/** Who changes things, for the log. */
export const TGTADM: Actor = { name: "tgtadm", replacesDisks: true };
