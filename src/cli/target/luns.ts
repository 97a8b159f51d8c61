import { resolve } from "node:path";
import type { CommandModule } from "yargs";
import type { ArgumentsOf } from "../../control/protocol.ts";
import { confirm, YES_OPTION } from "../confirm.ts";
import { DAEMON_OPTIONS, withDaemon } from "../daemon-access.ts";
import { print } from "../output.ts";
import { counted } from "../target-text.ts";
import { TARGET_POSITIONAL, type TargetArguments } from "./look.ts";
import {
  LUN_SETTING_NAMES,
  LUN_SETTING_OPTIONS,
  type LunSettingOptions,
  lunSettingsOf,
  namingOptions,
} from "./lun-settings.ts";

interface MapArguments extends TargetArguments, LunSettingOptions {
  readonly volume: string;
  readonly lun: number | undefined;
  readonly force: boolean | undefined;
}

/** A path is the daemon's to open, which may run elsewhere: where it begins with a dot, it begins here. */
export function volumeName(text: string): string {
  return text.startsWith("./") || text.startsWith("../") ? resolve(text) : text;
}

/** What the daemon is asked for. */
export function mappingOf(args: MapArguments): ArgumentsOf<"target/map"> {
  const { target, lun, force } = args;
  return {
    target,
    volume: volumeName(args.volume),
    ...(lun === undefined ? {} : { lun }),
    ...(force === true ? { force } : {}),
    ...lunSettingsOf(args),
  };
}

/** `thinlun target map`. */
export const mapCommand: CommandModule<object, MapArguments> = {
  command: "map <target> <volume>",
  describe: "Give a target a LUN, also while initiators are logged in",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .positional("volume", {
        type: "string",
        demandOption: true,
        describe: "POOL/VOLUME, the path of a file or device, or a name of the configuration",
      })
      .option("lun", { type: "number", requiresArg: true, describe: "Its number (the next)" })
      .option("force", {
        type: "boolean",
        describe: "Also where initiators know another disk under the number, and may write to it",
      })
      .options(LUN_SETTING_OPTIONS)
      .group([...LUN_SETTING_NAMES], "How initiators see it:")
      .options(DAEMON_OPTIONS)
      .example("$0 target map iqn.2026-11.net.example:disk tank/disk1", "A thin volume")
      .example("$0 target map iqn.2026-11.net.example:disk /dev/sdb --lun 5", "A device as it is")
      .epilogue(
        "What is not given is as at other LUNs of the volume, which is one disk, or follows from it; target set-lun changes it later.",
      ),
  handler: async (args) => {
    const body = mappingOf(args);
    const lun = await namingOptions(() =>
      withDaemon(args, (daemon) => daemon.call("target/map", body)),
    );
    print(lun, args.json, () => `${lun.volume} is LUN ${lun.lun} of ${lun.target}.\n`);
  },
};

interface UnmapArguments extends TargetArguments {
  readonly lun: number;
  readonly yes: boolean;
}

/** `thinlun target unmap`. */
export const unmapCommand: CommandModule<object, UnmapArguments> = {
  command: "unmap <target> <lun>",
  describe: "Take a LUN away; its volume and what it holds stay",
  builder: (yargs) =>
    yargs
      .positional("target", TARGET_POSITIONAL)
      .positional("lun", { type: "number", demandOption: true, describe: "Its number" })
      .options(YES_OPTION)
      .options(DAEMON_OPTIONS)
      .example("$0 target unmap iqn.2026-11.net.example:disk 1", "Unmount there first"),
  handler: async (args) => {
    const { target, lun, yes, json } = args;
    await withDaemon(args, async (daemon) => {
      const { sessionCount } = await daemon.call("target/show", { target });
      if (sessionCount > 0) {
        const what = `LUN ${lun} of ${target}, which ${counted(sessionCount, "session")} may be using, will be gone`;
        await confirm(what, String(lun), yes);
      }
      await daemon.call("target/unmap", { target, lun });
    });
    print({}, json, () => `LUN ${lun} of ${target} is gone.\n`);
  },
};
