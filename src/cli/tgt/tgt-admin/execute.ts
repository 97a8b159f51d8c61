import type { TargetsConf } from "../targets-conf.ts";
import { configureGlobals, TidGiver } from "./configure.ts";
import { DaemonState, readAccounts } from "./daemon-state.ts";
import { removeTarget } from "./remove-target.ts";
import type { Runner } from "./runner.ts";
import { TargetMaker } from "./target-commands.ts";
import type { AdminWorld } from "./world.ts";

/** What a configuration is carried out with. */
export interface AdminContext {
  readonly conf: TargetsConf;
  readonly runner: Runner;
  readonly world: AdminWorld;
  readonly isForced: boolean;
}

/** Makes the targets that are not there yet, and removes those that the configuration does not have: command by command. */
export async function execute({ conf, runner, world, isForced }: AdminContext): Promise<void> {
  const state = await DaemonState.read(runner);
  const accounts = await readAccounts(runner);
  const maker = new TargetMaker(world, runner, accounts, isForced);
  await configureGlobals(conf, runner, maker);
  noteDefaultDriver(conf, runner);
  const tids = new TidGiver(state);
  for (const target of conf.targets) {
    if (state.targets.has(target.name)) runner.note(`# Target ${target.name} already exists!`);
    else await maker.make(target, `${tids.next(target)}`);
  }
  if (!conf.hasTargets) {
    await DaemonState.read(runner);
    return;
  }
  runner.note("");
  const now = await DaemonState.read(runner);
  const wanted = new Set(conf.targets.map(({ name }) => name));
  for (const name of now.targets.keys()) {
    if (wanted.has(name)) continue;
    await removeTarget(name, { runner, state: now, isForced, purpose: "deleted" });
  }
}

/** Says which driver counts where the configuration does not. */
export function noteDefaultDriver(conf: TargetsConf, runner: Runner): void {
  if (!conf.saysDefaultDriver) runner.note("# default-driver not defined, defaulting to iscsi.\n");
}
