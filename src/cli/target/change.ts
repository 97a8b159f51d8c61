import type { CommandModule } from "yargs";
import type { TargetSettings } from "../../control/protocol.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { UsageError } from "../exit-code.ts";
import { print } from "../output.ts";
import { counted, targetText } from "../target-text.ts";
import { TARGET_POSITIONAL, type TargetArguments } from "./look.ts";

/** Settings as they are typed. */
export interface SettingOptions {
  readonly alias: string | undefined;
  readonly "portal-group": string[] | undefined;
  readonly sessions: number | undefined;
  readonly parameter: string[] | undefined;
  readonly "ping-interval": string | undefined;
  readonly "ping-count": string | undefined;
}

const SETTING_OPTIONS = {
  alias: { type: "string", requiresArg: true, describe: "What people call it; '' for none" },
  "portal-group": {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "Reached through portals of this group only; 'all' for all of them",
  },
  sessions: { type: "number", requiresArg: true, describe: "The most at a time" },
  parameter: {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "KEY=VALUE to offer in negotiation, such as headerDigest=required",
  },
  "ping-interval": {
    type: "string",
    requiresArg: true,
    describe: "Seconds of silence before an initiator is asked whether it lives; 0: never; default",
  },
  "ping-count": {
    type: "string",
    requiresArg: true,
    describe: "Questions without an answer before its connection is dropped; default",
  },
} as const;

/** A value of a parameter as JSON has it: yes, no, a number, or a word. */
function parameterValue(text: string): string | number | boolean {
  if (/^(?:yes|true)$/i.test(text)) return true;
  if (/^(?:no|false)$/i.test(text)) return false;
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function groupNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is no portal group: write a number, or all`);
}

/** Null: as with every target where nothing is said. */
function pingNumber(text: string): number | null {
  if (text === "default") return null;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" says nothing about pings: write a number, or default`);
}

/** What is to be set, as the daemon is told it. What the parameters may be is for the daemon to know. */
export function settingsOf(options: SettingOptions): TargetSettings {
  const { alias, "portal-group": groups, sessions, parameter } = options;
  const pairs = (parameter ?? []).map((text): [string, string | number | boolean] => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`"${text}" is no parameter: write KEY=VALUE`);
    return [text.slice(0, equals), parameterValue(text.slice(equals + 1))];
  });
  const { "ping-interval": interval, "ping-count": count } = options;
  const pings = {
    ...(interval === undefined ? {} : { interval: pingNumber(interval) }),
    ...(count === undefined ? {} : { count: pingNumber(count) }),
  };
  const isAll = groups?.length === 1 && groups[0] === "all";
  return {
    ...(alias === undefined ? {} : { alias: alias === "" ? null : alias }),
    ...(groups === undefined ? {} : { portalGroups: isAll ? [] : groups.map(groupNumber) }),
    ...(sessions === undefined ? {} : { sessionsMax: sessions }),
    ...(pairs.length === 0 ? {} : { parameters: Object.fromEntries(pairs) }),
    ...(Object.keys(pings).length === 0 ? {} : { pings }),
  };
}

interface CreateArguments extends DaemonOptions, SettingOptions {
  readonly name: string | undefined;
}

/** `thinlun target create`. */
export const createCommand: CommandModule<object, CreateArguments> = {
  command: "create [name]",
  describe: "Make a target, to which LUNs are mapped next",
  builder: (yargs) =>
    yargs
      .positional("name", {
        type: "string",
        describe: "Its iSCSI name; without one, iqn.2026-11.net.thinlun:HOST and a random number",
      })
      .options(SETTING_OPTIONS)
      .options(DAEMON_OPTIONS)
      .example("$0 target create iqn.2026-11.net.example:disk", "")
      .example("$0 target create --json | jq -r .name", "With a name that is made up")
      .epilogue(
        "Everybody who reaches it is let in until there are rules: see target allow, auth.",
      ),
  handler: async (args) => {
    const { name, json } = args;
    const body = { ...(name === undefined ? {} : { name }), ...settingsOf(args) };
    const made = await withDaemon(args, (daemon) => daemon.call("target/create", body));
    print(made, json, () => `Target ${made.name} is made.\n`);
  },
};

interface SetArguments extends TargetArguments, SettingOptions {
  readonly offline: boolean;
  readonly ready: boolean;
  readonly redirect: string | undefined;
  readonly permanent: boolean;
}

function changesOf(args: SetArguments): TargetSettings {
  const { offline, ready, redirect, permanent } = args;
  if (offline && ready) throw new UsageError("a target is offline or ready, not both");
  if (permanent && (redirect === undefined || redirect === "none")) {
    throw new UsageError("--permanent is about a redirect: give --redirect");
  }
  const elsewhere = redirect === "none" ? null : { address: redirect ?? "", permanent };
  return {
    ...settingsOf(args),
    ...(offline ? { state: "offline" as const } : {}),
    ...(ready ? { state: "ready" as const } : {}),
    ...(redirect === undefined ? {} : { redirect: elsewhere }),
  };
}

/** `thinlun target set`. */
export const setCommand: CommandModule<object, SetArguments> = {
  command: "set <target>",
  describe: "Change a target, for the logins to come",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .options(SETTING_OPTIONS)
      .option("offline", { type: "boolean", default: false, describe: "Refuse logins" })
      .option("ready", { type: "boolean", default: false, describe: "Take logins again" })
      .option("redirect", {
        type: "string",
        requiresArg: true,
        describe: "Send initiators to ADDRESS:PORT; 'none' to serve them here again",
      })
      .option("permanent", {
        type: "boolean",
        default: false,
        describe: "Initiators may remember where they were sent",
      })
      .options(DAEMON_OPTIONS)
      .example("$0 target set iqn.2026-11.net.example:disk --offline", "Maintenance begins")
      .example("$0 target set iqn.2026-11.net.example:disk --parameter dataDigest=required", ""),
  handler: async (args) => {
    const body = { target: args.target, ...changesOf(args) };
    const set = await withDaemon(args, (daemon) => daemon.call("target/set", body));
    print(set, args.json, () => targetText(set));
  },
};

interface DeleteArguments extends TargetArguments {
  readonly force: boolean;
  readonly yes: boolean;
}

/** `thinlun target delete`. */
export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: "delete <target>",
  describe: "Delete a target; its volumes and what they hold stay",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .option("force", {
        type: "boolean",
        default: false,
        describe: "Log out the initiators that are there first",
      })
      .options(YES_OPTION)
      .options(DAEMON_OPTIONS)
      .example("$0 target delete iqn.2026-11.net.example:disk", ""),
  handler: async (args) => {
    const { target, force, yes, json } = args;
    await withDaemon(args, async (daemon) => {
      const { name, luns, sessionCount } = await daemon.call("target/show", { target });
      const gone = `Target ${name} (${counted(luns.length, "LUN")}) will be gone`;
      const sessions =
        force && sessionCount > 0 ? `, and ${counted(sessionCount, "session")} ended` : "";
      await confirm(`${gone}${sessions}`, target, yes);
      await daemon.call("target/delete", { target, force });
    });
    print({}, json, () => `Target ${target} is deleted.\n`);
  },
};
