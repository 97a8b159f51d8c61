import type { AccountConfig } from "../config/config.ts";
import { targetsWith, withOtherSecrets } from "../plane/account-copies.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import { type AccountReport, OperationError, type ReplyOf } from "../protocol.ts";
import { actorOf, daemonOf, type OperatedDaemon } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { wantedOf } from "./wanted.ts";

export async function listAccounts({
  context,
}: OperationRequest<"account/list">): Promise<readonly AccountReport[]> {
  const daemon = daemonOf(context);
  const { all } = daemon.plane.view;
  return Promise.resolve(all.accounts.map((account) => describeAccount(daemon, account)));
}

/** By itself it lets nobody in: targets are given it. Errors: invalid, exists, io. */
export async function createAccount(
  request: OperationRequest<"account/create">,
): Promise<AccountReport> {
  const daemon = daemonOf(request.context);
  const account = wantedAccount(request.body);
  await daemon.plane.change(actorOf(request), "account/create", ({ all, inventory }) => {
    if (all.accounts.some(({ user }) => user === account.user)) {
      throw new OperationError("exists", `there is an account ${account.user} already`);
    }
    return { ...inventory, accounts: [...inventory.accounts, account] };
  });
  return describeAccount(daemon, account);
}

/** Another password, here and wherever the account is, for the logins to come. Errors: invalid, missing, foreign, io. */
export async function setAccount(request: OperationRequest<"account/set">): Promise<AccountReport> {
  const daemon = daemonOf(request.context);
  const account = wantedAccount(request.body);
  await daemon.plane.change(actorOf(request), "account/set", (view) => {
    const before = accountOf(view, account.user);
    return withOtherSecrets(view.inventory, [{ before, after: account }]);
  });
  return describeAccount(daemon, account);
}

/** Errors: missing, foreign, busy: targets have it; io. */
export async function deleteAccount(
  request: OperationRequest<"account/delete">,
): Promise<ReplyOf<"account/delete">> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  await plane.change(actorOf(request), "account/delete", (view) => {
    const account = accountOf(view, body.user);
    const users = targetsWith(view.all, account);
    if (users.length > 0) {
      throw new OperationError(
        "busy",
        `account ${body.user} is used by ${users.join(", ")}: take it away there first`,
      );
    }
    const { inventory } = view;
    return { ...inventory, accounts: inventory.accounts.filter((one) => one !== account) };
  });
  return {};
}

function wantedAccount(body: { readonly user: string; readonly password: string }): AccountConfig {
  const [account] = wantedOf({ accounts: [{ ...body }] }).accounts;
  if (account === undefined) throw new OperationError("invalid", "there is no account in it");
  return account;
}

/** An account that commands may change. Errors: missing, foreign. */
function accountOf({ inventory, config }: PlaneView, user: string): AccountConfig {
  const account = inventory.accounts.find((one) => one.user === user);
  if (account !== undefined) return account;
  if (config.accounts.some((one) => one.user === user)) {
    throw new OperationError(
      "foreign",
      `account ${user} is in the configuration: change it there, and have it read again (SIGHUP)`,
    );
  }
  throw new OperationError("missing", `there is no account ${user}`);
}

function describeAccount({ plane }: OperatedDaemon, account: AccountConfig): AccountReport {
  const { all, inventory } = plane.view;
  const isMade = inventory.accounts.some(({ user }) => user === account.user);
  return {
    user: account.user,
    origin: isMade ? "command" : "configuration",
    targets: targetsWith(all, account),
  };
}
