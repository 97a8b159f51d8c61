import type { CommandModule } from "yargs";
import type { ArgumentsOf } from "../../control/protocol.ts";
import { DAEMON_OPTIONS, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import { targetText } from "../target-text.ts";
import { TARGET_POSITIONAL, type TargetArguments } from "./look.ts";

interface RuleArguments extends TargetArguments {
  readonly address: string[] | undefined;
  readonly initiator: string[] | undefined;
}

const RULE_OPTIONS = {
  address: {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "An address, a prefix such as 192.0.2.0/24, or ALL; may be repeated",
  },
  initiator: {
    type: "string",
    array: true,
    requiresArg: true,
    describe:
      "An initiator's iqn., eui. or naa. name, or a pattern with * for any characters; may be repeated",
  },
} as const;

/** What the daemon is asked for. */
export function rulesOf({
  target,
  address,
  initiator,
}: RuleArguments): ArgumentsOf<"target/allow" | "target/deny"> {
  return {
    target,
    ...(address === undefined ? {} : { addresses: address }),
    ...(initiator === undefined ? {} : { initiators: initiator }),
  };
}

interface AllowArguments extends RuleArguments {
  readonly match: "all" | "any" | undefined;
}

/** `thinlun target allow`. */
export const allowCommand: CommandModule<object, AllowArguments> = {
  command: "allow <target>",
  describe: "Let initiators in, by address or name; others are not let in any more",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .options(RULE_OPTIONS)
      .option("match", {
        choices: ["all", "any"] as const,
        describe: "Where there are addresses and names: both have to fit, or either",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 target allow iqn.2026-11.net.example:disk --address 192.0.2.0/24", "")
      .example("$0 target allow iqn.2026-11.net.example:disk --initiator 'iqn.*:web*'", "")
      .epilogue("It is for the logins to come; thinlun session logout ends those that are there."),
  handler: async (args) => {
    const { match } = args;
    const body = { ...rulesOf(args), ...(match === undefined ? {} : { match }) };
    const target = await withDaemon(args, (daemon) => daemon.call("target/allow", body));
    print(target, args.json, () => targetText(target));
  },
};

interface DenyArguments extends RuleArguments {
  readonly open: boolean;
}

/** `thinlun target deny`. */
export const denyCommand: CommandModule<object, DenyArguments> = {
  command: "deny <target>",
  describe: "Take rules away by which initiators were let in",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .options(RULE_OPTIONS)
      .option("open", {
        type: "boolean",
        default: false,
        describe: "The last rule may go: everybody is let in then",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 target deny iqn.2026-11.net.example:disk --address 192.0.2.0/24", ""),
  handler: async (args) => {
    const body = { ...rulesOf(args), open: args.open };
    const target = await withDaemon(args, (daemon) => daemon.call("target/deny", body));
    print(target, args.json, () => targetText(target));
  },
};
