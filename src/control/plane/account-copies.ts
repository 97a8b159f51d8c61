import type { AccountConfig, AuthenticationConfig, Config } from "../config/config.ts";
import type { Inventory } from "../config/inventory.ts";

/*
 * Who is given an account has a copy of it, with its secret: what has the user's name and another secret is an account of its own.
 */

/** An account with another secret. */
export interface AccountChange {
  readonly before: AccountConfig;
  readonly after: AccountConfig;
}

/** Whether one is a copy of the other. */
export function isSameAccount(left: AccountConfig, right: AccountConfig): boolean {
  return left.user === right.user && left.secret.fingerprint === right.secret.fingerprint;
}

/** The names of the targets that have an account. */
export function targetsWith(
  { targets }: Pick<Config, "targets">,
  account: AccountConfig,
): readonly string[] {
  return targets
    .filter(({ authentication }) =>
      [...(authentication?.accounts ?? []), authentication?.mutual ?? null].some(
        (one) => one !== null && isSameAccount(one, account),
      ),
    )
    .map(({ name }) => name);
}

/** What both have, with another secret. */
export function changedAccounts(
  before: readonly AccountConfig[],
  after: readonly AccountConfig[],
): readonly AccountChange[] {
  return after.flatMap((now) => {
    const was = before.find(({ user }) => user === now.user);
    return was === undefined || isSameAccount(was, now) ? [] : [{ before: was, after: now }];
  });
}

/** Other secrets, wherever the accounts are. */
export function withOtherSecrets(
  inventory: Inventory,
  changes: readonly AccountChange[],
): Inventory {
  const changed = (account: AccountConfig): AccountConfig =>
    changes.find(({ before }) => isSameAccount(before, account))?.after ?? account;
  const inside = (given: AuthenticationConfig | null): AuthenticationConfig | null =>
    given === null
      ? null
      : {
          ...given,
          accounts: given.accounts.map(changed),
          mutual: given.mutual === null ? null : changed(given.mutual),
        };
  const { targets, discovery, accounts } = inventory;
  return {
    ...inventory,
    accounts: accounts.map(changed),
    targets: targets.map((target) => {
      return { ...target, authentication: inside(target.authentication) };
    }),
    discovery:
      discovery === null
        ? null
        : { ...discovery, authentication: inside(discovery.authentication) },
  };
}
