import {
  type AccessRules,
  addressRuleProblem,
  nameRuleProblem,
  OPEN_ACCESS,
} from "../../iscsi/auth/access-list.ts";
import { ACCESS_RULES_MAX } from "../../iscsi/login/limits.ts";
import type { ConfigDocument } from "./document.ts";
import { choiceOf, listOf, mapped, object, optional, type Shape, textThat } from "./shape.ts";

interface AllowKeys {
  readonly addresses: readonly string[];
  readonly initiators: readonly string[];
  readonly match: "any" | "all";
  readonly withoutAddresses: "allow" | "deny";
}

/** Who is let in, by address and by name. */
export const accessShape: Shape<AccessRules> = mapped(
  object<AllowKeys>({
    addresses: optional(listOf(textThat(addressRuleProblem), ACCESS_RULES_MAX), []),
    initiators: optional(listOf(textThat(nameRuleProblem), ACCESS_RULES_MAX), []),
    match: optional(choiceOf(["all", "any"]), OPEN_ACCESS.match),
    withoutAddresses: optional(choiceOf(["allow", "deny"]), OPEN_ACCESS.withoutAddresses),
  }),
  ({ initiators: initiatorNames, ...rest }) => ({ ...rest, initiatorNames }),
);

/** What {@link accessShape} reads back. */
export function accessDocument({ initiatorNames, ...rest }: AccessRules): ConfigDocument {
  return { ...rest, initiators: initiatorNames };
}
