import { Audit, type AuditedChange } from "../audit.ts";
import { actorOf } from "./operated-daemon.ts";
import type { UncheckedRequest } from "./operation.ts";

/** Tells of what an operation has changed besides what the control plane keeps; without a daemon, in the command's own log. */
export function audited(
  request: UncheckedRequest,
  operation: string,
  changes: readonly AuditedChange[],
): void {
  const { daemon, log } = request.context;
  const audit = daemon?.plane.audit ?? new Audit(log);
  audit.changed({ by: actorOf(request).name, operation, changes });
}
