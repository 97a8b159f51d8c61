import type { Member } from "../../thin/members/create-members.ts";
import { outcomeOf, settleWipes } from "../../thin/members/take-back.ts";
import { OperationError } from "../protocol.ts";
import { operationErrorOf } from "./operation-error.ts";
import type { OperationContext } from "./operation.ts";

/**
 * Tells once of devices that were wiped for pools by commands which were killed, after what can be put back was. Called before the next
 * device is taken for a pool. Errors: busy: there was one.
 */
export async function tellUnfinishedWipes(
  context: Pick<OperationContext, "pools" | "backupDir" | "log">,
): Promise<void> {
  const devices = context.pools().flatMap(({ pool }) => pool.state.addresses.devices);
  const names = new Set(devices.map(({ name }) => name));
  const told = await settleWipes(context.backupDir, (path) => names.has(path));
  if (told.length === 0) return;
  context.log.warn({ told }, "a command that was to make a pool did not end");
  throw new OperationError("busy", `${told.join("; ")}: look at it, and ask again`);
}

/** An error after something was wiped for nothing: with what became of that. `left`: what could not be put back. */
export function withOutcome(
  error: unknown,
  members: readonly Pick<Member, "backup">[],
  left: readonly string[],
): unknown {
  const outcome = outcomeOf(members, left);
  if (outcome === null) return error;
  const { kind, message } = operationErrorOf(error);
  return new OperationError(kind, `${message}; ${outcome}`, error);
}
