import { OperationError, type TgtApplyReply, type TgtDocument } from "../../../control/protocol.ts";
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
  /** Whether of these only what tgt's commands have made is removed: nobody has named them. */
  readonly spareOthers: boolean;
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
  const change = { targets, remove, spareOthers: true, onlyNew: true, purpose: "deleted" } as const;
  await new Applier(context, client, state).apply(change);
}

/** Makes targets as the configuration has them: what differs of them, and nothing else. */
export async function applyUpdate(
  which: string,
  context: AdminContext,
  client: ApplyClient,
): Promise<void> {
  const { conf, runner, isForced } = context;
  const state = await DaemonState.read(runner);
  const applier = new Applier(context, client, state);
  const change = { onlyNew: false, purpose: "updated" } as const;
  if (which === "ALL") {
    const wanted = new Set(conf.targets.map(({ name }) => name));
    const extra = [...state.targets.keys()].filter((name) => !wanted.has(name));
    const remove = conf.targets.length > 0 || isForced ? extra : await applier.staying(extra);
    await applier.apply({ ...change, targets: conf.targets, remove, spareOthers: true });
    return;
  }
  const name = nameOf(which, context, state);
  const targets = conf.targets.filter((target) => target.name === name);
  if (targets.length === 0 && !state.targets.has(name)) refuseUnknown(name, context);
  else {
    const remove = targets.length === 0 ? [name] : [];
    await applier.apply({ ...change, targets, remove, spareOthers: false });
  }
}

/** Removes targets that are there, in one change; with force also while initiators are logged in. */
export async function applyDelete(
  names: readonly string[],
  { runner, world, isForced }: Pick<AdminContext, "runner" | "world" | "isForced">,
  client: ApplyClient,
): Promise<void> {
  const state = await DaemonState.read(runner);
  const how = { spareOthers: false, onlyNew: true, force: isForced, dryRun: false };
  const request = { wanted: NOTHING, remove: names, ...how };
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

const NOTHING: TgtDocument = { targets: [], accounts: [], discovery: null, system: [] };

function configuredNote(name: string): string {
  return `# Target ${name} is in the daemon's configuration, and stays.`;
}

/** How a change is asked for, besides what is wanted. */
type Manner = Pick<Change, "remove" | "spareOthers" | "onlyNew"> & { readonly force: boolean };

/** What is wanted, and what was seen of stores on the way. */
interface Sight {
  readonly wanted: TgtDocument;
  /** Targets that have disks now which others are to have. */
  readonly givers: ReadonlySet<string>;
  readonly notes: readonly string[];
  readonly leftOut: readonly string[];
}

/** Targets that are not as they were to be. */
function keptOf({
  inUse,
  configured,
  spared,
}: Pick<TgtApplyReply, "inUse" | "configured" | "spared">): readonly string[] {
  return [...inUse, ...configured, ...spared];
}

/** Whether a target of the daemon does not have a store any more after a change. */
function givesAway({ targets, remove, onlyNew }: Change, name: string, path: string): boolean {
  if (remove.includes(name)) return true;
  const target = targets.find((each) => each.name === name);
  if (onlyNew || target === undefined) return false;
  return !target.stores.some((store) => store.path === path);
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

  /**
   * Of targets that a configuration without any would take away, those that stay anyhow: an empty file, or an include that matches
   * nothing, is a mistake more often than a wish.
   */
  async staying(names: readonly string[]): Promise<readonly string[]> {
    const { world } = this.#context;
    const how = { spareOthers: true, onlyNew: true, force: false, dryRun: true };
    const kept = keptOf(
      await this.#client.call("tgt/apply", { wanted: NOTHING, remove: names, ...how }),
    );
    const going = names.filter((name) => !kept.includes(name));
    if (going.length > 0) {
      const told = `the configuration has no targets: ${going.join(", ")} would go, and stay without --force`;
      world.complain(`tgt-admin: warning: ${told}\n`);
    }
    return names.filter((name) => kept.includes(name));
  }

  /** What went wrong, in words, or null. */
  async #applyOnce(change: Change, withGlobals: boolean): Promise<string | null> {
    const { runner, isForced } = this.#context;
    try {
      const { remove, spareOthers, onlyNew } = change;
      const targets = change.targets.map((target) => {
        const tid = onlyNew ? this.#tids.next(target) : this.#tids.replacing(target, false);
        return { ...target, tid };
      });
      const how = { remove, spareOthers, onlyNew, force: isForced };
      const wanted = await this.#wanted({ ...change, targets }, withGlobals, how);
      const request = { wanted, ...how, dryRun: false };
      const reply = await this.#client.call("tgt/apply", request);
      for (const line of reply.differences) runner.note(`# ${toByteString(line)}`);
      for (const name of reply.inUse) this.#noteInUse(name, change);
      for (const name of reply.configured) runner.note(configuredNote(name));
      for (const name of reply.spared) {
        runner.note(`# Target ${name} was not made by tgt's commands, and stays.`);
      }
      return null;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return toByteString(error.message);
    }
  }

  /**
   * What is wanted, with the disks that go from one target to another in the same change: where a target that has such a disk stays as it
   * is after all, the disk stays there.
   */
  async #wanted(change: Change, withGlobals: boolean, how: Manner): Promise<TgtDocument> {
    const { runner, world } = this.#context;
    const staying = new Set<string>();
    for (;;) {
      const { wanted, givers, notes, leftOut } = await this.#look(change, withGlobals, staying);
      const asked = { wanted, ...how, dryRun: true };
      const kept = givers.size === 0 ? [] : keptOf(await this.#client.call("tgt/apply", asked));
      const denied = kept.filter((name) => givers.has(name));
      for (const name of denied) staying.add(name);
      if (denied.length > 0) continue;
      for (const line of notes) runner.note(line);
      for (const line of leftOut) world.complain(`tgt-admin: warning: ${line}\n`);
      return wanted;
    }
  }

  /** What is wanted where targets that stay keep their disks, and the others give them away. */
  async #look(change: Change, withGlobals: boolean, staying: ReadonlySet<string>): Promise<Sight> {
    const { conf, world, isForced } = this.#context;
    const givers = new Set<string>();
    const [notes, leftOut]: [string[], string[]] = [[], []];
    const isOwn = (target: string, path: string): boolean => {
      const holders = [...this.#state.targets.keys()].filter((name) => this.#hasOpen(name, path));
      if (holders.length === 0 || holders.includes(target)) return holders.length > 0;
      if (!holders.every((name) => !staying.has(name) && givesAway(change, name, path)))
        return false;
      for (const name of holders) givers.add(name);
      return true;
    };
    const wanted = await wantedDocument(conf, change.targets, withGlobals, {
      world,
      isForced,
      isOwn,
      note: (line) => void notes.push(line),
      leftOut: (target, path) => {
        leftOut.push(
          `target ${target} is without ${path}, which is missing or in use: -v tells more`,
        );
      },
    });
    return { wanted, givers, notes, leftOut };
  }

  #noteInUse(name: string, { purpose }: Change): void {
    const tid = this.#state.targets.get(name)?.tid ?? "";
    const { runner, world } = this.#context;
    runner.note(inUseNote(tid, name, purpose));
    // Who takes access or a disk away in the file has to know that it was not done, also without --verbose.
    world.complain(`tgt-admin: warning: target ${name} is in use, and stays as it was\n`);
  }

  #hasOpen(name: string, path: string): boolean {
    return this.#state.targets.get(name)?.luns.some((lun) => lun.storePath === path) === true;
  }
}
