import { OPEN_ACCESS } from "../../../iscsi/auth/access-list.ts";
import type { AccountConfig, AuthenticationConfig, DiscoveryConfig } from "../../config/config.ts";
import type { Inventory } from "../../config/inventory.ts";
import type { PlaneView } from "../../plane/control-plane.ts";
import { accountProblems } from "../../../iscsi/auth/authentication-policy.ts";
import { OperationError } from "../../protocol.ts";
import { Secret } from "../../secret.ts";
import { changeTarget } from "./targets.ts";
import { TGTADM, type TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** Refused: user-exists, invalid-request. */
export async function makeAccount(
  daemon: TgtDaemon,
  user: string,
  password: string,
): Promise<void> {
  const secret = new Secret(password);
  const [problem] = accountProblems({ user, secret: secret.revealBytes() }).errors;
  await daemon.plane.change(TGTADM, "tgt account new", ({ all, inventory }) => {
    if (all.accounts.some((one) => one.user === user)) throw new TgtRefused("user-exists");
    if (problem !== undefined) throw new TgtRefused("invalid-request", problem);
    return { ...inventory, accounts: [...inventory.accounts, { user, secret }] };
  });
}

/** The account, and all that it was bound to is without it. Refused: no-user, unsupported-operation. */
export async function deleteAccount(daemon: TgtDaemon, user: string): Promise<void> {
  await daemon.plane.change(TGTADM, "tgt account delete", (view) => {
    const { inventory, config } = view;
    accountOf(view, user);
    if (config.accounts.some((one) => one.user === user)) {
      throw new OperationError("foreign", `the account ${user} is in the configuration`);
    }
    const without = (given: AuthenticationConfig | null): AuthenticationConfig | null =>
      minusOutgoing(minusIncoming(given, user), user);
    const { targets, discovery, accounts } = inventory;
    return {
      ...inventory,
      accounts: accounts.filter((one) => one.user !== user),
      targets: targets.map((target) => {
        return { ...target, authentication: without(target.authentication) };
      }),
      discovery:
        discovery === null
          ? null
          : { ...discovery, authentication: without(discovery.authentication) },
    };
  });
}

function accountOf({ all }: PlaneView, user: string): AccountConfig {
  const account = all.accounts.find((one) => one.user === user);
  if (account === undefined) throw new TgtRefused("no-user");
  return account;
}

const NOBODY: AuthenticationConfig = {
  accounts: [],
  mutual: null,
  mutualRequired: false,
  algorithms: null,
};

/** Authentication without anybody in it is none. */
function settled(authentication: AuthenticationConfig): AuthenticationConfig | null {
  const { accounts, mutual } = authentication;
  return accounts.length === 0 && mutual === null ? null : authentication;
}

function minusIncoming(
  before: AuthenticationConfig | null,
  user: string,
): AuthenticationConfig | null {
  const { accounts, ...rest } = before ?? NOBODY;
  return settled({ ...rest, accounts: accounts.filter((one) => one.user !== user) });
}

function minusOutgoing(
  before: AuthenticationConfig | null,
  user: string,
): AuthenticationConfig | null {
  const { mutual, ...rest } = before ?? NOBODY;
  return settled({ ...rest, mutual: mutual?.user === user ? null : mutual });
}

/** What an account is bound to, and how. */
export interface Binding {
  /** Undefined: discovery. */
  readonly targetId: number | undefined;
  readonly user: string;
  readonly outgoing: boolean;
}

type Step = (before: AuthenticationConfig, account: AccountConfig) => AuthenticationConfig | null;

/** Refused: no-target, no-user, user-exists, outgoing-exists. */
export function bindAccount(daemon: TgtDaemon, binding: Binding): Promise<void> {
  return rebind(daemon, binding, (before, account) => {
    if (binding.outgoing) {
      if (before.mutual !== null) throw new TgtRefused("outgoing-exists");
      return { ...before, mutual: account };
    }
    if (before.accounts.some(({ user }) => user === account.user)) {
      throw new TgtRefused("user-exists");
    }
    return { ...before, accounts: [...before.accounts, account] };
  });
}

/** Refused: no-target, no-user. */
export function unbindAccount(daemon: TgtDaemon, binding: Binding): Promise<void> {
  const { user, outgoing } = binding;
  return rebind(daemon, binding, (before) => {
    const bound = outgoing ? [before.mutual] : before.accounts;
    if (!bound.some((one) => one?.user === user)) throw new TgtRefused("no-user");
    return outgoing ? minusOutgoing(before, user) : minusIncoming(before, user);
  });
}

async function rebind(daemon: TgtDaemon, binding: Binding, step: Step): Promise<void> {
  const { targetId, user } = binding;
  if (targetId !== undefined) {
    await changeTarget(daemon, targetId, "tgt account bind", (target, view) => {
      const authentication = step(target.authentication ?? NOBODY, accountOf(view, user));
      return { ...target, authentication };
    });
    return;
  }
  await daemon.plane.change(TGTADM, "tgt account bind", (view): Inventory => {
    const discovery = discoveryOf(view);
    const authentication = step(discovery.authentication ?? NOBODY, accountOf(view, user));
    return { ...view.inventory, discovery: { ...discovery, authentication } };
  });
}

function discoveryOf({ all }: PlaneView): DiscoveryConfig {
  return all.discovery ?? { enabled: true, access: OPEN_ACCESS, authentication: null };
}
