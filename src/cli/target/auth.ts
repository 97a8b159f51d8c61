import type { CommandModule } from "yargs";
import type { ArgumentsOf } from "../../control/protocol.ts";
import { DAEMON_OPTIONS, withDaemon } from "../daemon-access.ts";
import { UsageError } from "../exit-code.ts";
import { print } from "../output.ts";
import { readSecret, SECRET_OPTIONS, type SecretOptions } from "../secret-input.ts";
import { targetText } from "../target-text.ts";
import { TARGET_POSITIONAL, type TargetArguments } from "./look.ts";

interface AuthArguments extends TargetArguments, SecretOptions {
  readonly user: string | undefined;
  readonly account: boolean;
  readonly mutual: boolean;
  readonly "require-mutual": boolean;
  readonly "stop-mutual": boolean;
  readonly remove: string | undefined;
  readonly none: boolean;
}

type Body = ArgumentsOf<"target/auth">;

/** What is to become of the proof of the target itself. */
function proofOf(args: AuthArguments): Partial<Body> {
  if (args["stop-mutual"]) return { mutual: null, mutualRequired: false };
  return args["require-mutual"] ? { mutualRequired: true } : {};
}

/** What the daemon is asked for, the secret included. */
export async function changesOf(
  args: AuthArguments,
  askSecret: typeof readSecret = readSecret,
): Promise<Body> {
  const { target, user, account, mutual, remove, none } = args;
  const hasSecret = args.password !== undefined || args["password-file"] !== undefined;
  if (user === undefined && (hasSecret || account || mutual)) {
    throw new UsageError("say whose secret it is: --user");
  }
  if (account && hasSecret) throw new UsageError("an account has its secret already");
  const body: Body = {
    target,
    ...proofOf(args),
    ...(remove === undefined ? {} : { remove: [remove] }),
    ...(none ? { none } : {}),
  };
  if (user === undefined) return body;
  const credentials = account ? { user } : { user, password: await askSecret(user, args) };
  return mutual ? { ...body, mutual: credentials } : { ...body, users: [credentials] };
}

/** `thinlun target auth`. */
export const authCommand: CommandModule<object, AuthArguments> = {
  command: "auth <target>",
  describe: "Say who has to prove what by CHAP, for the logins to come",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .option("user", {
        type: "string",
        requiresArg: true,
        describe: "Who can log in, or whose secret changes; the secret is asked for",
      })
      .options(SECRET_OPTIONS)
      .option("account", {
        type: "boolean",
        default: false,
        describe: "With the secret of the account of this name (thinlun account)",
      })
      .option("mutual", {
        type: "boolean",
        default: false,
        describe: "The user is the target: it proves itself to initiators that ask",
      })
      .option("require-mutual", {
        type: "boolean",
        default: false,
        describe: "Refuse initiators that do not ask the target to prove itself",
      })
      .option("stop-mutual", {
        type: "boolean",
        default: false,
        describe: "The target does not prove itself any more",
      })
      .option("remove", { type: "string", requiresArg: true, describe: "Who cannot any more" })
      .option("none", {
        type: "boolean",
        default: false,
        describe: "Nobody has to authenticate any more",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 target auth iqn.2026-11.net.example:disk --user alice", "Asks for the secret")
      .example(
        "$0 target auth iqn.2026-11.net.example:disk --user disk --mutual --password-file proof",
        "The target proves itself, too",
      ),
  handler: async (args) => {
    const body = await changesOf(args);
    const target = await withDaemon(args, (daemon) => daemon.call("target/auth", body));
    print(target, args.json, () => targetText(target));
  },
};
