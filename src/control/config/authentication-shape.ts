import { accountProblems } from "../../iscsi/auth/authentication-policy.ts";
import { ChapAlgorithm } from "../../iscsi/auth/chap-algorithm.ts";
import { ACCOUNTS_MAX } from "../../iscsi/login/limits.ts";
import { Secret } from "../secret.ts";
import type { AccountConfig, AuthenticationConfig } from "./config.ts";
import type { ConfigDocument } from "./document.ts";
import { SECRET_FILE_BYTES_MAX } from "./limits.ts";
import { pathOf, type Report } from "./report.ts";
import {
  choiceOf,
  flag,
  listOf,
  mapped,
  object,
  optional,
  required,
  type Shape,
  text,
} from "./shape.ts";
import { filePath, secret } from "./values.ts";

const ALGORITHMS = {
  "sha3-256": ChapAlgorithm.sha3,
  sha256: ChapAlgorithm.sha256,
  sha1: ChapAlgorithm.sha1,
  md5: ChapAlgorithm.md5,
} as const;
type AlgorithmName = keyof typeof ALGORITHMS;

const algorithm: Shape<ChapAlgorithm> = mapped(
  choiceOf(Object.keys(ALGORITHMS) as AlgorithmName[]),
  (name) => ALGORITHMS[name],
);

/** A file that holds a secret, and nothing else but a line feed after it. */
export const secretFile: Shape<Secret> = (node, path, report) => {
  const file = filePath(node, path, report);
  if (file === undefined) return undefined;
  try {
    const { text: content, exposed } = report.source.readSecretFile(file);
    if (exposed) report.warning(path, `${file} can be read by others than its owner (chmod 600)`);
    if (Buffer.byteLength(content) <= SECRET_FILE_BYTES_MAX) {
      return new Secret(content.replace(/\r?\n$/, ""));
    }
    report.problem(path, `${file} is too long for a file with a secret in it`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report.problem(path, `the secret cannot be read: ${reason}`);
  }
  return undefined;
};

interface AccountKeys {
  readonly user: string;
  readonly password: Secret | null;
  readonly passwordFile: Secret | null;
}

const accountKeys = object<AccountKeys>({
  user: required(text),
  password: optional(secret, null),
  passwordFile: optional(secretFile, null),
});

/** A user and a secret, given either way. */
export const account: Shape<AccountConfig> = (node, path, report) => {
  const keys = accountKeys(node, path, report);
  if (keys === undefined) return undefined;
  const given = keys.password ?? keys.passwordFile;
  if (given === null || (keys.password !== null && keys.passwordFile !== null)) {
    report.problem(path, 'needs either "password" or "passwordFile"');
    return undefined;
  }
  const where = pathOf(path, keys.password === null ? "passwordFile" : "password");
  reportAccount({ user: keys.user, secret: given }, where, report);
  const result = { user: keys.user, secret: given };
  report.place(result, path);
  return result;
};

function reportAccount({ user, secret: given }: AccountConfig, path: string, report: Report): void {
  const { errors, warnings } = accountProblems({ user, secret: given.revealBytes() });
  for (const message of errors) report.problem(path, message);
  for (const message of warnings) report.warning(path, message);
}

/** Who may log in by CHAP. No accounts would let everybody in, which is not what somebody means by an empty list. */
export const authenticationShape: Shape<AuthenticationConfig> = mapped(
  object<AuthenticationConfig>({
    accounts: optional(listOf(account, ACCOUNTS_MAX), []),
    mutual: optional(account, null),
    mutualRequired: optional(flag, false),
    algorithms: optional(
      listOf(algorithm, Object.keys(ALGORITHMS).length, "leave it out to allow all"),
      null,
    ),
  }),
  (config, fail) =>
    config.accounts.length === 0 && config.mutual === null
      ? fail('has no "accounts"; leave "auth" out to let everybody in')
      : config,
);

/** What {@link authenticationShape} reads back, secrets and all. */
export function authenticationDocument(config: AuthenticationConfig): ConfigDocument {
  const { accounts, mutual, mutualRequired, algorithms } = config;
  const names = Object.keys(ALGORITHMS) as AlgorithmName[];
  return {
    accounts: accounts.map(accountDocument),
    mutual: mutual === null ? null : accountDocument(mutual),
    mutualRequired,
    algorithms: algorithms?.map((one) => names.find((name) => ALGORITHMS[name] === one) ?? ""),
  };
}

/** What {@link account} reads back, with the secret. */
export function accountDocument({ user, secret: given }: AccountConfig): ConfigDocument {
  return { user, password: given.reveal() };
}
