import type { AuditedField } from "../../audit.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";

/** What is as long as the daemon runs, told of as what is kept: settings of tgt's daemon as a whole. */
export function setSystem(daemon: TgtDaemon, settings: readonly TgtSetting[]): void {
  daemon.system.update(settings);
  const fields = settings.map(({ key, value }) => ({ field: key, after: value }));
  tell(daemon, "tgt sys update", fields);
}

/** Whether initiators are let in by iscsi, the one driver that there is. */
export function setDriver({ system, ...daemon }: TgtDaemon, state: "ready" | "stopped"): void {
  const before = system.driver;
  system.setDriver(state);
  tell(daemon, "tgt lld update", [{ field: "driver", before, after: state }]);
}

function tell(
  { plane }: Pick<TgtDaemon, "plane">,
  operation: string,
  fields: readonly AuditedField[],
): void {
  const changes = [{ action: "change", kind: "system", name: "tgt", fields }] as const;
  plane.audit.changed({ by: TGTADM.name, operation, changes });
}
