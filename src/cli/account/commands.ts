import type { CommandModule } from "yargs";
import type { AccountReport } from "../../control/protocol.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import { readSecret, SECRET_OPTIONS, type SecretOptions } from "../secret-input.ts";
import { formatTable } from "../table.ts";

/** Accounts, a line each. */
export function accountTable(accounts: readonly AccountReport[]): string {
  if (accounts.length === 0) return "There are none.\n";
  return formatTable(
    [{ heading: "USER" }, { heading: "FROM" }, { heading: "TARGETS" }],
    accounts.map(({ user, origin, targets }) => [user, origin, targets.join(" ")]),
  );
}

/** `thinlun account list`. */
export const listCommand: CommandModule<object, DaemonOptions> = {
  command: "list",
  describe: "List accounts; secrets are never shown",
  builder: (yargs) => yargs.options(DAEMON_OPTIONS).example("$0 account list", ""),
  handler: async (args) => {
    const accounts = await withDaemon(args, (daemon) => daemon.call("account/list", {}));
    print(accounts, args.json, () => accountTable(accounts));
  },
};

interface AccountArguments extends DaemonOptions {
  readonly user: string;
}

interface SecretArguments extends AccountArguments, SecretOptions {}

const USER = { type: "string", demandOption: true, describe: "Its name" } as const;

/** `thinlun account create`. */
export const createCommand: CommandModule<object, SecretArguments> = {
  command: "create <user>",
  describe: "Make an account; by itself it lets nobody in",
  builder: (yargs) =>
    yargs
      .positional("user", USER)
      .options(SECRET_OPTIONS)
      .options(DAEMON_OPTIONS)
      .example("$0 account create alice", "Asks for the secret")
      .example("$0 target auth iqn.2026-11.net.example:disk --user alice --account", "Then this"),
  handler: async (args) => {
    const { user } = args;
    const body = { user, password: await readSecret(user, args) };
    const made = await withDaemon(args, (daemon) => daemon.call("account/create", body));
    print(made, args.json, () => `Account ${made.user} is made.\n`);
  },
};

/** `thinlun account set`. */
export const setCommand: CommandModule<object, SecretArguments> = {
  command: "set <user>",
  describe: "Give an account another secret, and the targets that have it, too",
  builder: (yargs) =>
    yargs
      .positional("user", USER)
      .options(SECRET_OPTIONS)
      .options(DAEMON_OPTIONS)
      .example("$0 account set alice", "Asks for the secret"),
  handler: async (args) => {
    const { user } = args;
    const body = { user, password: await readSecret(user, args) };
    const set = await withDaemon(args, (daemon) => daemon.call("account/set", body));
    print(set, args.json, () => `Account ${set.user} has another secret now.\n`);
  },
};

interface DeleteArguments extends AccountArguments {
  readonly yes: boolean;
}

/** `thinlun account delete`. */
export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: "delete <user>",
  describe: "Delete an account that no target has",
  builder: (yargs) =>
    yargs
      .positional("user", USER)
      .options(YES_OPTION)
      .options(DAEMON_OPTIONS)
      .example("$0 account delete alice", ""),
  handler: async (args) => {
    const { user, yes, json } = args;
    await confirm(`Account ${user} and its secret will be gone`, user, yes);
    await withDaemon(args, (daemon) => daemon.call("account/delete", { user }));
    print({}, json, () => `Account ${user} is deleted.\n`);
  },
};
