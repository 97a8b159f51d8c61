import { OPEN_ACCESS } from "../../../iscsi/auth/access-list.ts";
import type { AccountConfig, AuthenticationConfig, DiscoveryConfig } from "../../config/config.ts";
import type { Inventory } from "../../config/inventory.ts";
import { isSameAccount, targetsWith } from "../../plane/account-copies.ts";
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

/**
 * The account, and all that it was bound to is without it; others of the same name stay. Refused: no-user, unsupported-operation: it is
 * in the configuration, or a target has it that tgt's commands have not made.
 */
export async function deleteAccount(daemon: TgtDaemon, user: string): Promise<void> {
  let open: readonly string[] = [];
  await daemon.plane.change(TGTADM, "tgt account delete", (view) => {
    const account = accountOf(view, user);
    refuseUsed(view, account);
    const { inventory } = view;
    const after = withoutAccount(inventory, account);
    open = openedBy(inventory, after);
    return after;
  });
  if (open.length > 0) {
    daemon.log.warn({ user, open }, "no account is left here: everybody is let in without one");
  }
}

/** As thinlun's own commands do: what they have made asks for the account, and would let everybody in without it. */
function refuseUsed({ inventory, config }: PlaneView, account: AccountConfig): void {
  const { user } = account;
  if (config.accounts.some((one) => one.user === user)) {
    throw new OperationError("foreign", `the account ${user} is in the configuration`);
  }
  const users = targetsWith(
    { targets: inventory.targets.filter(({ tgt }) => tgt === null) },
    account,
  );
  if (users.length === 0) return;
  throw new OperationError(
    "foreign",
    `the account ${user} is used by ${users.join(", ")}: take it away there first`,
  );
}

function withoutAccount(inventory: Inventory, account: AccountConfig): Inventory {
  const without = (given: AuthenticationConfig | null): AuthenticationConfig | null =>
    minusOutgoing(minusIncoming(given, account), account);
  const { targets, discovery, accounts } = inventory;
  return {
    ...inventory,
    accounts: accounts.filter((one) => one.user !== account.user),
    targets: targets.map((target) => {
      return { ...target, authentication: without(target.authentication) };
    }),
    discovery:
      discovery === null
        ? null
        : { ...discovery, authentication: without(discovery.authentication) },
  };
}

/** Where nobody has to authenticate any more. */
function openedBy(before: Inventory, after: Inventory): readonly string[] {
  const asks = (given: AuthenticationConfig | null | undefined): boolean =>
    (given?.accounts.length ?? 0) > 0;
  const names = before.targets.flatMap(({ name, authentication }, index) =>
    asks(authentication) && !asks(after.targets[index]?.authentication) ? [name] : [],
  );
  const isOpened = asks(before.discovery?.authentication) && !asks(after.discovery?.authentication);
  return isOpened ? [...names, "discovery"] : names;
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
  account: AccountConfig,
): AuthenticationConfig | null {
  const { accounts, ...rest } = before ?? NOBODY;
  return settled({ ...rest, accounts: accounts.filter((one) => !isSameAccount(one, account)) });
}

function minusOutgoing(
  before: AuthenticationConfig | null,
  account: AccountConfig,
): AuthenticationConfig | null {
  const { mutual, ...rest } = before ?? NOBODY;
  const goes = mutual !== null && isSameAccount(mutual, account);
  return settled({ ...rest, mutual: goes ? null : mutual });
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
  const { outgoing } = binding;
  return rebind(daemon, binding, (before, account) => {
    const bound = outgoing ? [before.mutual] : before.accounts;
    const isBound = bound.some((one) => one !== null && isSameAccount(one, account));
    if (!isBound) throw new TgtRefused("no-user");
    return outgoing ? minusOutgoing(before, account) : minusIncoming(before, account);
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
