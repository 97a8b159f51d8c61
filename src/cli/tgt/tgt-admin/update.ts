import { configureGlobals, TidGiver } from "./configure.ts";
import { DaemonState, readAccounts } from "./daemon-state.ts";
import { type AdminContext, noteDefaultDriver } from "./execute.ts";
import { removeTarget } from "./remove-target.ts";
import { AdminEnd } from "./runner.ts";
import { TargetMaker } from "./target-commands.ts";

const FAILED = 1;

/** Makes targets anew as the configuration has them, and removes those that it does not have: command by command. */
export async function update(which: string, context: AdminContext): Promise<void> {
  const { runner } = context;
  const accounts = await readAccounts(runner);
  const state = await DaemonState.read(runner);
  const updater = new Updater(context, state, accounts);
  if (which === "ALL") {
    for (const name of allNames(context, state)) await updater.update(name);
    return;
  }
  await updater.update(nameOf(which, context, state));
}

/** Those that are to go come first. */
function allNames({ conf }: AdminContext, state: DaemonState): string[] {
  const wanted = conf.targets.map(({ name }) => name);
  return [...[...state.targets.keys()].filter((name) => !wanted.includes(name)), ...wanted];
}

/** The target that `tid=N` or a name means. Ends the command where there is none with that number. */
export function nameOf(which: string, { world }: AdminContext, state: DaemonState): string {
  const tid = /^tid=(.+)/.exec(which)?.[1];
  if (tid === undefined) return which;
  const name = state.withTid(tid)?.name;
  if (name !== undefined) return name;
  world.print(`There is no target with tid ${tid}, can't continue!\n`);
  throw new AdminEnd(FAILED);
}

/** Ends the command for a target that is nowhere; where the configuration has none at all, that is no error. */
export function refuseUnknown(name: string, { conf, world }: AdminContext): void {
  if (!conf.hasTargets) return;
  world.print(`Target ${name} is currently not configured\n`);
  world.print("and does not exist in the config file - can't continue!\n");
  throw new AdminEnd(FAILED);
}

class Updater {
  readonly #context: AdminContext;
  readonly #state: DaemonState;
  readonly #maker: TargetMaker;
  readonly #tids: TidGiver;
  #hasNotedDriver = false;

  constructor(context: AdminContext, state: DaemonState, accounts: ReadonlySet<string>) {
    const { world, runner, isForced } = context;
    this.#context = context;
    this.#state = state;
    this.#maker = new TargetMaker(world, runner, accounts, isForced);
    this.#tids = new TidGiver(state);
  }

  async update(name: string): Promise<void> {
    const { conf, runner, isForced } = this.#context;
    const removal = { runner, state: this.#state, isForced, purpose: "updated" } as const;
    const target = conf.targets.find((each) => each.name === name);
    if (target === undefined && this.#state.targets.has(name)) {
      await removeTarget(name, removal);
      return;
    }
    await configureGlobals(conf, runner, this.#maker);
    if (!this.#hasNotedDriver) noteDefaultDriver(conf, runner);
    this.#hasNotedDriver = true;
    if (target === undefined) {
      refuseUnknown(name, this.#context);
      return;
    }
    if (await removeTarget(name, removal)) {
      await this.#maker.make(target, `${this.#tids.replacing(target, runner.isPretending)}`);
    }
    runner.note("");
  }
}
