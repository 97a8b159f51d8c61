import { AccessList } from "../iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../iscsi/auth/authentication-policy.ts";
import type { DiscoveryPolicy } from "../iscsi/login/login-types.ts";
import { DEFAULT_OFFERS } from "../iscsi/parameters.ts";
import type { IscsiServer } from "../iscsi/server.ts";
import { authenticationRules } from "./config/authentication-rules.ts";
import type { DiscoveryConfig } from "./config/config.ts";
import type { ControlPlane } from "./plane/control-plane.ts";

/** Who may ask for the list of targets, as the login knows it. */
export function discoveryPolicy({
  enabled,
  access,
  authentication,
}: DiscoveryConfig): DiscoveryPolicy {
  return {
    enabled,
    access: new AccessList(access),
    authentication: new AuthenticationPolicy(authenticationRules(authentication)),
    offers: DEFAULT_OFFERS,
  };
}

/** Lets in whom the control plane lets in, from now on: commands can change that. */
export function serveDiscovery(
  server: Pick<IscsiServer, "configureDiscovery">,
  plane: Pick<ControlPlane, "view" | "subscribe">,
): void {
  const apply = (): void => server.configureDiscovery(discoveryPolicy(plane.view.all.discovery));
  apply();
  plane.subscribe((differences) => {
    if (differences.some(({ kind }) => kind === "discovery")) apply();
  });
}
