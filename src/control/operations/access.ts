import type { AccessRules } from "../../iscsi/auth/access-list.ts";
import { parseIscsiName } from "../../iscsi/login/iscsi-name.ts";
import { accessDocument } from "../config/access-shape.ts";
import type { TargetConfig } from "../config/config.ts";
import { targetDocument } from "../config/target-shape.ts";
import { OperationError, type TargetReport } from "../protocol.ts";
import type { OperationRequest } from "./operation.ts";
import { changeTarget } from "./targets.ts";
import { wantedTarget } from "./wanted.ts";

/** Lets more in, for the logins to come: as far as there are rules, whoever fits none is not let in. Errors: invalid, missing, foreign, io. */
export async function allowAccess(
  request: OperationRequest<"target/allow">,
): Promise<TargetReport> {
  const { addresses = [], initiators = [], match } = request.body;
  if (addresses.length + initiators.length === 0 && match === undefined) {
    throw new OperationError("invalid", "say who is to be let in: addresses, or initiators");
  }
  return changeTarget(request, "target/allow", (target) => {
    const { access } = target;
    // What tgt's commands or a file have let in may be said again.
    for (const rule of initiators) if (!access.initiatorNames.includes(rule)) mustBeName(rule);
    return withAccess(target, {
      ...access,
      addresses: [...new Set([...access.addresses, ...addresses])],
      initiatorNames: [...new Set([...access.initiatorNames, ...initiators])],
      match: match ?? access.match,
    });
  });
}

/** A rule without a pattern is the name of one initiator: one that is mistyped would let nobody in. */
function mustBeName(rule: string): void {
  if (rule.includes("*")) return;
  const result = parseIscsiName(rule);
  if (result.ok) return;
  throw new OperationError(
    "invalid",
    `${JSON.stringify(rule)} is not an initiator's name: ${result.message}; with a *, it is a pattern`,
  );
}

/** Takes rules away, for the logins to come. Errors: invalid, missing, foreign, busy: the last rule would go; io. */
export async function denyAccess(request: OperationRequest<"target/deny">): Promise<TargetReport> {
  const { addresses = [], initiators = [], open = false } = request.body;
  if (addresses.length + initiators.length === 0) {
    throw new OperationError("invalid", "say whose rules are to go: addresses, or initiators");
  }
  return changeTarget(request, "target/deny", (target) => {
    const { access, name } = target;
    const left = {
      ...access,
      addresses: without(name, access.addresses, addresses),
      initiatorNames: without(name, access.initiatorNames, initiators),
    };
    if (!open) refuseOpening(name, access, left);
    return withAccess(target, left);
  });
}

function withAccess(target: TargetConfig, access: AccessRules): TargetConfig {
  return wantedTarget({ ...targetDocument(target), allow: accessDocument(access) });
}

function without(target: string, rules: readonly string[], gone: readonly string[]): string[] {
  const absent = gone.find((rule) => !rules.includes(rule));
  if (absent !== undefined) {
    const there = rules.length === 0 ? "it has none" : `it has ${rules.join(", ")}`;
    throw new OperationError("missing", `target ${target} has no rule ${absent}: ${there}`);
  }
  return rules.filter((rule) => !gone.includes(rule));
}

/** Who takes somebody's rule away does not mean to let everybody in. */
function refuseOpening(target: string, before: AccessRules, after: AccessRules): void {
  const opens =
    (before.addresses.length > 0 &&
      after.addresses.length === 0 &&
      after.withoutAddresses === "allow") ||
    (before.initiatorNames.length > 0 && after.initiatorNames.length === 0);
  if (!opens) return;
  throw new OperationError(
    "busy",
    `without its last rule of this kind, target ${target} would let everybody in; if you mean that, say so (--open; over HTTP, open), ` +
      "otherwise allow others first, or set it offline",
  );
}
