import type { CommandModule } from "yargs";
import type { ArgumentsOf } from "../../control/protocol.ts";
import { DAEMON_OPTIONS, withDaemon } from "../daemon-access.ts";
import { UsageError } from "../exit-code.ts";
import { lunText } from "../lun-text.ts";
import { print } from "../output.ts";
import { TARGET_POSITIONAL, type TargetArguments } from "./look.ts";
import {
  LUN_SETTING_NAMES,
  LUN_SETTING_OPTIONS,
  type LunSettingOptions,
  lunSettingsOf,
  namingOptions,
} from "./lun-settings.ts";

interface SetLunArguments extends TargetArguments, LunSettingOptions {
  readonly lun: number;
  readonly writable: boolean;
  readonly offline: boolean;
  readonly online: boolean;
}

/** What the daemon is asked for. */
export function lunChangesOf(args: SetLunArguments): ArgumentsOf<"lun/set"> {
  const { target, lun, writable, offline, online } = args;
  if (args["read-only"] && writable)
    throw new UsageError("a LUN is read-only or writable, not both");
  if (offline && online) throw new UsageError("a LUN is offline or online, not both");
  return {
    target,
    lun,
    ...lunSettingsOf(args),
    ...(writable ? { readOnly: false } : {}),
    ...(offline || online ? { online } : {}),
  };
}

/** `thinlun target set-lun`. */
export const setLunCommand: CommandModule<object, SetLunArguments> = {
  command: "set-lun <target> <lun>",
  describe: "Change how a LUN is described, also while initiators are logged in",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .positional("lun", { type: "number", demandOption: true, describe: "Its number" })
      .option("writable", { type: "boolean", default: false, describe: "Take writes again" })
      .option("offline", {
        type: "boolean",
        default: false,
        describe: "It is not ready, and stays a LUN: for maintenance",
      })
      .option("online", { type: "boolean", default: false, describe: "It is ready again" })
      .options(LUN_SETTING_OPTIONS)
      .group(["writable", "offline", "online", ...LUN_SETTING_NAMES], "How initiators see it:")
      .options(DAEMON_OPTIONS)
      .example("$0 target set-lun iqn.2026-11.net.example:disk 1 --read-only", "")
      .example("$0 target set-lun iqn.2026-11.net.example:disk 1 --no-write-cache", "")
      .example("$0 target set-lun iqn.2026-11.net.example:disk 1 --rotation-rate ssd", "")
      .epilogue(
        "What is not given stays as it is. A volume is one disk: other LUNs of it change, too. With another block size, vendor, " +
          "product, revision or serial it is another disk for initiators: nobody may be logged in then.",
      ),
  handler: async (args) => {
    const body = lunChangesOf(args);
    const lun = await namingOptions(() =>
      withDaemon(args, (daemon) => daemon.call("lun/set", body)),
    );
    print(lun, args.json, () => lunText(lun));
  },
};
