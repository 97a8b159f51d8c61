import type { IscsiServer } from "../../iscsi/server.ts";
import type { ControlPlane } from "../plane/control-plane.ts";
import type { PortalStore } from "../portal-store.ts";
import { OperationError } from "../protocol.ts";
import type { Identities } from "../state-store.ts";
import type { VolumeStore } from "../volume-store.ts";
import type { OperationContext, UncheckedRequest } from "./operation.ts";

/** What operations on targets, portals and sessions work on. */
export interface OperatedDaemon {
  /** What is wanted, and the only way to change it. */
  readonly plane: ControlPlane;
  readonly server: Pick<
    IscsiServer,
    "targets" | "sessions" | "connections" | "endSessions" | "subscribeSessions"
  >;
  readonly volumes: Pick<VolumeStore, "volumes">;
  readonly portals: Pick<PortalStore, "portals">;
  readonly volumeIdentities: Pick<Identities, "wasMade" | "uuidOf" | "forget">;
  readonly poolIdentities: Pick<Identities, "wasMade" | "forget">;
  readonly stateDir: string;
  readonly version: string;
  readonly startedAt: Date;
  /** How long initiators that are asked to log out may take. */
  readonly logoutGraceMs: number;
}

/** Errors: unsupported: a command works on a pool by itself. */
export function daemonOf({ daemon }: OperationContext): OperatedDaemon {
  if (daemon !== undefined) return daemon;
  throw new OperationError("unsupported", "this takes a daemon: start one (thinlun serve)");
}

/** Who asks for a change, for the log. */
export function actorOf({ by }: UncheckedRequest): { readonly name: string } {
  return { name: by ?? "control socket" };
}
