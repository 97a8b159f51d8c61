import {
  type AuthenticationRules,
  NO_AUTHENTICATION,
} from "../../iscsi/auth/authentication-policy.ts";
import type { AccountConfig, AuthenticationConfig } from "./config.ts";

function chapAccount({ user, secret }: AccountConfig): AuthenticationRules["incoming"][number] {
  return { user, secret: secret.revealBytes() };
}

/** The configured authentication in the terms of the login; null lets everybody in. */
export function authenticationRules(config: AuthenticationConfig | null): AuthenticationRules {
  if (config === null) return NO_AUTHENTICATION;
  return {
    incoming: config.accounts.map(chapAccount),
    outgoing: config.mutual === null ? null : chapAccount(config.mutual),
    mutual: config.mutualRequired ? "required" : "optional",
    algorithms: config.algorithms,
  };
}
