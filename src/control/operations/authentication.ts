import { accountDocument, authenticationDocument } from "../config/authentication-shape.ts";
import type { AccountConfig, TargetConfig } from "../config/config.ts";
import type { ConfigDocument } from "../config/document.ts";
import { targetDocument } from "../config/target-shape.ts";
import { type ArgumentsOf, OperationError, type TargetReport } from "../protocol.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { changeTarget } from "./targets.ts";
import { wantedTarget } from "./wanted.ts";

type Body = ArgumentsOf<"target/auth">;
type Credentials = NonNullable<Body["users"]>[number];

/** Who has to prove what by CHAP, for the logins to come. Errors: invalid, missing, foreign, busy: the last user would go; io. */
export async function setAuthentication(
  request: OperationRequest<"target/auth">,
): Promise<TargetReport> {
  const { context, body } = request;
  const { target: _, none = false, ...changes } = body;
  const isEmpty = Object.keys(changes).length === 0;
  if (isEmpty && !none) throw new OperationError("invalid", "nothing is to be changed");
  if (!isEmpty && none) {
    throw new OperationError("invalid", "either there are users, or nobody has to authenticate");
  }
  const { plane } = daemonOf(context);
  return changeTarget(request, "target/auth", (target) => {
    if (none) return { ...target, authentication: null };
    const auth = changedAuthentication(target, body, plane.view.all.accounts);
    return wantedTarget({ ...targetDocument(target), auth });
  });
}

function changedAuthentication(
  { name, authentication }: TargetConfig,
  { users = [], remove = [], mutual, mutualRequired }: Body,
  accounts: readonly AccountConfig[],
): ConfigDocument {
  const before = authentication?.accounts ?? [];
  const absent = remove.find((user) => !before.some((one) => one.user === user));
  if (absent !== undefined) {
    throw new OperationError("missing", `target ${name} has no user ${absent}`);
  }
  const isReplaced = (user: string): boolean => users.some((one) => one.user === user);
  const left = before.filter(({ user }) => !remove.includes(user) && !isReplaced(user));
  if (before.length > 0 && left.length + users.length === 0) {
    throw new OperationError(
      "busy",
      `without its last user, target ${name} would let everybody in; if you mean that, say so (--none; over HTTP, none)`,
    );
  }
  const kept = authentication === null ? {} : authenticationDocument(authentication);
  return {
    ...kept,
    accounts: [
      ...left.map(accountDocument),
      ...users.map((one) => credentialsDocument(one, accounts)),
    ],
    ...(mutual === undefined ? {} : { mutual: mutual && credentialsDocument(mutual, accounts) }),
    ...(mutualRequired === undefined ? {} : { mutualRequired }),
  };
}

/** A user with the password that was given, or that of its account. */
function credentialsDocument(
  { user, password }: Credentials,
  accounts: readonly AccountConfig[],
): ConfigDocument {
  if (password !== undefined) return { user, password };
  const account = accounts.find((one) => one.user === user);
  if (account !== undefined) return accountDocument(account);
  throw new OperationError(
    "missing",
    `there is no account ${user}: give its password, or make the account first`,
  );
}
