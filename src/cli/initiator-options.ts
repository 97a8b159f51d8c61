import { hostname } from "node:os";
import { CHAP_ALGORITHMS, type ChapAlgorithm, type ChapCredentials } from "../initiator/chap.ts";
import { InitiatorError } from "../initiator/initiator-error.ts";
import { SizeError } from "../util/units.ts";
import { readBoundedText } from "./bounded-file.ts";
import { UsageError } from "./exit-code.ts";
import { SECRET_FILE_BYTES_MAX } from "./secret-input.ts";

/** What the commands that log in to a target share. */
export interface InitiatorOptions {
  readonly user: string | undefined;
  readonly "password-file": string | undefined;
  readonly "initiator-name": string | undefined;
  readonly "chap-algorithm": ChapAlgorithm | undefined;
}

/** Options for yargs; passwords come from files, because a command line can be read by everybody on the host. */
export const INITIATOR_OPTIONS = {
  user: { type: "string", describe: "CHAP user name", requiresArg: true },
  "password-file": {
    type: "string",
    describe: "File with the CHAP secret (trailing newline ignored)",
    requiresArg: true,
    implies: "user",
  },
  "initiator-name": {
    type: "string",
    describe: "Name to log in with (iqn....)",
    requiresArg: true,
  },
  "chap-algorithm": {
    choices: Object.keys(CHAP_ALGORITHMS) as ChapAlgorithm[],
    describe: "Offer this one only (tgtd knows md5)",
  },
} as const;

/** One name for each host, so that access lists can know it. */
export function initiatorNameOf(options: Pick<InitiatorOptions, "initiator-name">): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-");
  return options["initiator-name"] ?? `iqn.2026-11.net.thinlun:initiator.${host}`;
}

/** Undefined where no user is given, neither as an option nor in the URL. */
export function credentialsOf(
  options: Omit<InitiatorOptions, "initiator-name">,
  urlUser?: string,
  urlSecret?: string,
): ChapCredentials | undefined {
  const user = options.user ?? urlUser;
  if (user === undefined) return undefined;
  const { "password-file": passwordFile, "chap-algorithm": chapAlgorithm } = options;
  const secret =
    passwordFile === undefined
      ? urlSecret
      : readBoundedText(passwordFile, SECRET_FILE_BYTES_MAX).replace(/\r?\n$/, "");
  if (secret === undefined || secret === "") {
    throw new InitiatorError("invalid", `user ${user} needs a password: give --password-file`);
  }
  return {
    user,
    secret,
    ...(chapAlgorithm === undefined ? {} : { algorithms: [chapAlgorithm] }),
  };
}

/** Runs a command of the initiator; what was asked for and makes no sense is an error of the command line. */
export async function withUsageErrors(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const invalid = error instanceof InitiatorError && error.kind === "invalid";
    if (invalid || error instanceof SizeError)
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
