import { rmSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { join, resolve } from "node:path";
import { startDetached } from "../../../../native-free/child-process.ts";
import { stateFolder } from "../../../control/protocol.ts";
import type { DaemonOptions } from "../../../daemon.ts";
import { bytesOf } from "../byte-words.ts";
import { type Ending, failure, success, type Surroundings } from "../ending.ts";
import { getopt } from "../getopt.ts";
import { TGT_VERSION } from "../version.ts";
import { TGTD_HELP } from "./help.ts";
import { applyOption, emptySettings, faultEnding, PROGRAM, TGTD_OPTIONS } from "./options.ts";
import type { TgtdSettings } from "./options.ts";
import { tgtSocketPath } from "./socket-path.ts";

/** The descriptor on which a daemon in the background tells whoever started it how that went. */
const TELL_VARIABLE = "THINLUN_TGTD_TELL_FD";

const FAILED_STATUS = 1;
const LOG_FILE = "tgtd.log";

/** What the daemon in the background says when logins are accepted; anything else is why it has ended. */
const READY = "ready";

/** Runs one command line of tgtd: in the foreground for as long as the daemon lives. Never rejects. */
export async function tgtd(words: readonly string[], { variables }: Surroundings): Promise<Ending> {
  const isStrict = variables["POSIXLY_CORRECT"] !== undefined;
  const { given, faultWord } = getopt(TGTD_OPTIONS, words, isStrict);
  const settings = emptySettings();
  for (const option of given) {
    if (option.letter === "V") return success(`${TGT_VERSION}\n`);
    if (option.letter === "h") return success(TGTD_HELP);
    const ending = applyOption(settings, option);
    if (ending !== undefined) return ending;
  }
  if (faultWord !== undefined) return faultEnding(faultWord);
  const tellFd = variables[TELL_VARIABLE];
  if (settings.isForeground || tellFd !== undefined) {
    return runHere(settings, variables, tellFd === undefined ? undefined : Number(tellFd));
  }
  return runBehind(settings, variables);
}

/** Bytes of the command line as the path that they are. */
function pathOf(word: string): string {
  return bytesOf(word).toString("utf8");
}

/** thinlun's own state folder for control port 0, so that its commands find this daemon; one beside it for each other port. */
function stateDirOf({ stateDir, controlPort }: TgtdSettings): string {
  if (stateDir !== undefined) return resolve(pathOf(stateDir));
  const base = stateFolder(null);
  return controlPort === 0 ? base : join(base, `${PROGRAM}.${controlPort}`);
}

function daemonOptions(
  settings: TgtdSettings,
  variables: Surroundings["variables"],
): DaemonOptions {
  const { configFile, portals, isDebug, controlPort, nopOptions } = settings;
  return {
    configFile: configFile === undefined ? null : resolve(pathOf(configFile)),
    stateDir: stateDirOf(settings),
    portals,
    logLevel: null,
    debug: isDebug,
    nopOptions,
    ready: { file: null, fd: null },
    terminal: process.stdout.isTTY,
    tgtSocket: tgtSocketPath(variables, controlPort),
  };
}

/** The daemon in this process. */
async function runHere(
  settings: TgtdSettings,
  variables: Surroundings["variables"],
  tellFd: number | undefined,
): Promise<Ending> {
  const pidFile = settings.pidFile === undefined ? undefined : pathOf(settings.pidFile);
  let untold = tellFd;
  const tell = (text: string): void => {
    if (untold === undefined) return;
    const fd = untold;
    untold = undefined;
    writeSync(fd, text);
    closeSync(fd);
  };
  keepFromOomKiller();
  try {
    // Loaded here, so that --help does not pay for the daemon.
    const { runDaemon } = await import("../../../daemon.ts");
    const ending = await runDaemon(daemonOptions(settings, variables), () => {
      if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
      tell(READY);
    });
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
    return { ...success(""), status: ending === "stopped" ? 0 : FAILED_STATUS };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell(reason);
    return failure(`${PROGRAM}: ${reason}`, FAILED_STATUS);
  }
}

/** As tgtd does: who else is killed for want of memory gets it back, whereas initiators would lose their disks. */
function keepFromOomKiller(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "-1000");
  } catch {
    // That takes a privilege; without it, the daemon is as any other process.
  }
}

/** The daemon in a process of its own, which is up when this ends; its log is in the state folder. */
async function runBehind(
  settings: TgtdSettings,
  variables: Surroundings["variables"],
): Promise<Ending> {
  const stateDir = stateDirOf(settings);
  const [, script = "", ...words] = process.argv;
  const told = await startDetached(process.execPath, [script, ...words], {
    logPath: join(stateDir, LOG_FILE),
    tellVariable: TELL_VARIABLE,
    variables,
  });
  if (told === READY) return success("");
  const reason = told === "" ? `it ended; see ${join(stateDir, LOG_FILE)}` : told;
  return failure(`${PROGRAM}: ${reason}`, FAILED_STATUS);
}
