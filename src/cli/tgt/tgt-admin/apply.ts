import { OperationError } from "../../../control/protocol.ts";
import { toByteString } from "../byte-words.ts";
import type { TargetWanted } from "../targets-conf-target.ts";
import type { ApplyClient } from "./apply-client.ts";
import { configureIsns, TidGiver } from "./configure.ts";
import { DaemonState } from "./daemon-state.ts";
import type { AdminContext } from "./execute.ts";
import { inUseNote, removalNote } from "./remove-target.ts";
import { AdminEnd } from "./runner.ts";
import { nameOf, refuseUnknown } from "./update.ts";
import { wantedDocument } from "./wanted-document.ts";

/** EINVAL, with which tgtadm ends where the daemon refuses. */
const REFUSED_STATUS = 22;

/** What is to be done at once. */
interface Change {
  readonly targets: readonly TargetWanted[];
  readonly remove: readonly string[];
  readonly onlyNew: boolean;
  /** What does not happen to a target in use, for the remark about it. */
  readonly purpose: "deleted" | "updated";
}

/** Makes the targets that are not there yet, and removes those that the configuration does not have: all of it, or nothing. */
export async function applyExecute(context: AdminContext, client: ApplyClient): Promise<void> {
  const { conf, runner } = context;
  const state = await DaemonState.read(runner);
  const wanted = new Set(conf.targets.map(({ name }) => name));
  const extra = [...state.targets.keys()].filter((name) => !wanted.has(name));
  const targets = conf.targets.filter(({ name }) => {
    const isThere = state.targets.has(name);
    if (isThere) runner.note(`# Target ${name} already exists!`);
    return !isThere;
  });
  const remove = conf.hasTargets ? extra : [];
  const change = { targets, remove, onlyNew: true, purpose: "deleted" } as const;
  await new Applier(context, client, state).apply(change);
}

/** Makes targets as the configuration has them: what differs of them, and nothing else. */
export async function applyUpdate(
  which: string,
  context: AdminContext,
  client: ApplyClient,
): Promise<void> {
  const { conf, runner } = context;
  const state = await DaemonState.read(runner);
  const applier = new Applier(context, client, state);
  const change = { onlyNew: false, purpose: "updated" } as const;
  if (which === "ALL") {
    const wanted = new Set(conf.targets.map(({ name }) => name));
    const remove = [...state.targets.keys()].filter((name) => !wanted.has(name));
    await applier.apply({ ...change, targets: conf.targets, remove });
    return;
  }
  const name = nameOf(which, context, state);
  const targets = conf.targets.filter((target) => target.name === name);
  if (targets.length === 0 && !state.targets.has(name)) refuseUnknown(name, context);
  else await applier.apply({ ...change, targets, remove: targets.length === 0 ? [name] : [] });
}

/** Removes targets that are there, in one change; with force also while initiators are logged in. */
export async function applyDelete(
  names: readonly string[],
  { runner, world, isForced }: Pick<AdminContext, "runner" | "world" | "isForced">,
  client: ApplyClient,
): Promise<void> {
  const state = await DaemonState.read(runner);
  const wanted = { targets: [], accounts: [], discovery: null, system: [] };
  const request = { wanted, remove: names, onlyNew: true, force: isForced, dryRun: false };
  try {
    const { inUse, configured } = await client.call("tgt/apply", request);
    for (const name of configured) runner.note(configuredNote(name));
    for (const name of names.filter((each) => !configured.includes(each))) {
      const tid = state.targets.get(name)?.tid ?? "";
      runner.note(inUse.includes(name) ? inUseNote(tid, name, "deleted") : removalNote(name));
    }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    world.complain(`tgt-admin: ${toByteString(error.message)}\n`);
    throw new AdminEnd(REFUSED_STATUS);
  }
}

function configuredNote(name: string): string {
  return `# Target ${name} is in the daemon's configuration, and stays.`;
}

class Applier {
  readonly #context: AdminContext;
  readonly #client: ApplyClient;
  readonly #state: DaemonState;
  /** Numbers are those that tgt-admin would give, also where what goes in the same change makes lower ones free. */
  readonly #tids: TidGiver;

  constructor(context: AdminContext, client: ApplyClient, state: DaemonState) {
    this.#tids = new TidGiver(state);
    this.#context = context;
    this.#client = client;
    this.#state = state;
  }

  /** As one change; where errors are to be passed over, as one for each target. */
  async apply(change: Change): Promise<void> {
    const { conf, runner, world } = this.#context;
    if (!runner.ignoresErrors && !conf.ignoresErrors) {
      const failure = await this.#applyOnce(change, true);
      if (failure === null) {
        await configureIsns(conf, runner);
        return;
      }
      world.complain(`tgt-admin: ${failure}\n`);
      throw new AdminEnd(REFUSED_STATUS);
    }
    runner.ignoresErrors = true;
    const steps: Change[] = [
      { ...change, targets: [], remove: [] },
      ...change.remove.map((name) => ({ ...change, targets: [], remove: [name] })),
      ...change.targets.map((target) => ({ ...change, targets: [target], remove: [] })),
    ];
    for (const [index, step] of steps.entries()) {
      const failure = await this.#applyOnce(step, index === 0);
      if (failure !== null) world.complain(`tgt-admin: ${failure}\n`);
    }
    await configureIsns(conf, runner);
  }

  /** What went wrong, in words, or null. */
  async #applyOnce(change: Change, withGlobals: boolean): Promise<string | null> {
    const { conf, runner, world, isForced } = this.#context;
    const looking = {
      world,
      isForced,
      isOwn: (target: string, path: string): boolean => this.#hasOpen(target, path),
      note: (line: string): void => runner.note(line),
    };
    try {
      const { remove, onlyNew } = change;
      const targets = change.targets.map((target) => {
        const tid = onlyNew ? this.#tids.next(target) : this.#tids.replacing(target, false);
        return { ...target, tid };
      });
      const wanted = await wantedDocument(conf, targets, withGlobals, looking);
      const request = { wanted, remove, onlyNew, force: isForced, dryRun: false };
      const { differences, inUse, configured } = await this.#client.call("tgt/apply", request);
      for (const line of differences) runner.note(`# ${toByteString(line)}`);
      for (const name of inUse) this.#noteInUse(name, change);
      for (const name of configured) runner.note(configuredNote(name));
      return null;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return toByteString(error.message);
    }
  }

  #noteInUse(name: string, { purpose }: Change): void {
    const tid = this.#state.targets.get(name)?.tid ?? "";
    this.#context.runner.note(inUseNote(tid, name, purpose));
  }

  #hasOpen(name: string, path: string): boolean {
    return this.#state.targets.get(name)?.luns.some((lun) => lun.storePath === path) === true;
  }
}
