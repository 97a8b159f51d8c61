import type { CommandModule } from "yargs";
import type { SessionArguments, SessionReport } from "../../control/protocol.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { DAEMON_OPTIONS, type DaemonOptions, withDaemon } from "../daemon-access.ts";
import { UsageError } from "../exit-code.ts";
import { print } from "../output.ts";
import { formatTable } from "../table.ts";
import { counted } from "../target-text.ts";

interface Selection extends DaemonOptions {
  readonly tsih: number | undefined;
  readonly target: string | undefined;
  readonly initiator: string | undefined;
}

const SELECTION_OPTIONS = {
  target: { type: "string", requiresArg: true, describe: "Of this target" },
  initiator: { type: "string", requiresArg: true, describe: "Of this initiator" },
} as const;

/** What the daemon is asked for. */
export function selectionOf({ tsih, target, initiator }: Selection): SessionArguments {
  return {
    ...(tsih === undefined ? {} : { tsih }),
    ...(target === undefined ? {} : { target }),
    ...(initiator === undefined ? {} : { initiator }),
  };
}

/** Sessions, a line each. */
export function sessionTable(sessions: readonly SessionReport[]): string {
  if (sessions.length === 0) return "Nobody is logged in.\n";
  return formatTable(
    [
      { heading: "TSIH", isNumber: true },
      { heading: "INITIATOR" },
      { heading: "TARGET" },
      { heading: "ADDRESS" },
      { heading: "USER" },
      { heading: "DIGESTS" },
      { heading: "SINCE" },
    ],
    sessions.map((session) => [
      String(session.tsih),
      session.initiator,
      session.target,
      session.address,
      session.account ?? "",
      digests(session),
      session.since.slice(0, 19).replace("T", " "),
    ]),
  );
}

function digests({ parameters: { headerDigest, dataDigest } }: SessionReport): string {
  if (headerDigest && dataDigest) return "both";
  if (headerDigest) return "header";
  return dataDigest ? "data" : "none";
}

/** `thinlun session list`. */
export const listCommand: CommandModule<object, Selection> = {
  command: "list [tsih]",
  describe: "List sessions; --json has what was negotiated, too",
  builder: (yargs) =>
    yargs
      .positional("tsih", { type: "number", describe: "Only the one of this number" })
      .options(SELECTION_OPTIONS)
      .options(DAEMON_OPTIONS)
      .example("$0 session list", "")
      .example("$0 session list --target iqn.2026-11.net.example:disk", "Who uses this disk"),
  handler: async (args) => {
    const body = selectionOf(args);
    const sessions = await withDaemon(args, (daemon) => daemon.call("session/list", body));
    print(sessions, args.json, () => sessionTable(sessions));
  },
};

interface LogoutArguments extends Selection {
  readonly yes: boolean;
}

/** `thinlun session logout`. */
export const logoutCommand: CommandModule<object, LogoutArguments> = {
  command: "logout [tsih]",
  describe: "Ask initiators to log out, and end the sessions that are there then",
  builder: (yargs) =>
    yargs
      .positional("tsih", { type: "number", describe: "The session's number" })
      .options(SELECTION_OPTIONS)
      .options(YES_OPTION)
      .options(DAEMON_OPTIONS)
      .example("$0 session logout 7", "")
      .example("$0 session logout --initiator iqn.2026-11.net.example:web1", "All of one host")
      .epilogue("They may log in again: to keep them out, see thinlun target deny and set."),
  handler: async (args) => {
    const body = selectionOf(args);
    if (Object.keys(body).length === 0) {
      throw new UsageError("say which sessions: a number, --target or --initiator");
    }
    const ended = await withDaemon(args, async (daemon) => {
      const sessions = await daemon.call("session/list", body);
      const [first] = sessions;
      if (first !== undefined) {
        const rest = sessions.length === 1 ? "" : ` and ${sessions.length - 1} more`;
        const what = `The session of ${first.initiator} with ${first.target}${rest} will end`;
        await confirm(what, "logout", args.yes);
      }
      return daemon.call("session/logout", body);
    });
    print(ended, args.json, () => `Ended: ${counted(ended.length, "session")}.\n`);
  },
};
