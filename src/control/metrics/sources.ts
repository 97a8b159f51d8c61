import type { IscsiServer } from "../../iscsi/server.ts";
import type { OperatedPool } from "../operations/operation.ts";

/** Where metrics come from. Everything is kept there anyway, and looked at when somebody scrapes. */
export interface MetricSources {
  readonly server: Pick<IscsiServer, "targets" | "sessions" | "statistics" | "totals" | "portals">;
  /** Those that are open. */
  readonly pools: () => readonly Pick<OperatedPool, "pool">[];
  readonly version: string;
}
