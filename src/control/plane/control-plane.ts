import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { Audit, type AuditedChange } from "../audit.ts";
import { addedProblems, checkInventory, checkNumbers } from "../config/check-inventory.ts";
import type { Config } from "../config/config.ts";
import { collisionsOf, EMPTY_INVENTORY, type Inventory, merged } from "../config/inventory.ts";
import { OperationError } from "../protocol.ts";
import { messageOf, StartError } from "../start-error.ts";
import type { Creation } from "../state-document.ts";
import { ChangeQueue } from "./change-queue.ts";
import { audited, type Difference, describeDifference, differencesOf } from "./differences.ts";
import { TargetNumbers } from "./numbers.ts";
import { type CreationParts, takeBack } from "./creations.ts";
import { namesOf, type VolumeRenaming } from "./renaming.ts";
import { type PlaneParts, Transaction } from "./transaction.ts";

/** Who asks for a change, for the log: a user of the socket, a token's name, a signal. */
export interface Actor {
  readonly name: string;
  /** Initiators may find another disk under a number that they know, in two steps: as tgt's administrators expect it. */
  readonly replacesDisks?: boolean;
  /** Whoever asks for a smaller size makes volumes smaller by itself, with the change. */
  readonly isResizing?: boolean;
  /** The change is a part of an operation that tells of all that it has done by itself. */
  readonly isPart?: boolean;
}

/** What there is when a change is thought out. */
export interface PlaneView {
  /** What commands have made: what a change starts from. */
  readonly inventory: Inventory;
  /** The configuration in effect, without that. */
  readonly config: Config;
  /** Both. Every target has its number. */
  readonly all: Config;
}

/** A change, thought out: the inventory as it is to be. Throws OperationErrors, and changes nothing by itself. */
export type Edit = (view: PlaneView) => Inventory;

interface ChangeOptions {
  /** A volume of a pool that gets another name with it. */
  readonly renaming?: VolumeRenaming | undefined;
  /** What it is carried out with; left out: what there is now. */
  readonly parts?: PlaneParts | null;
  /** It ends a change that has begun before the daemon began to stop. */
  readonly isTakingBack?: boolean;
  /** It is a step of a change in two: what a start goes back to until the last one is kept. */
  readonly backTo?: Inventory;
  readonly isFirst?: boolean;
}

/** Where the inventory is kept. */
export interface InventoryKeeper {
  readonly inventory: Inventory;
  readonly creations: readonly Creation[];
  /** By which targets are known to which nobody has said one. */
  readonly numbers: ReadonlyMap<string, number>;
  keep(
    inventory: Inventory,
    creations: readonly Creation[],
    numbers?: ReadonlyMap<string, number>,
    /** What a start finds instead, until something is kept without it. */
    backTo?: Inventory,
  ): Promise<void>;
  /** Of a change in two steps that the end of the process has cut off: what its first had made. The inventory is the one before. */
  readonly cutOff: Inventory | null;
  /** Takes for the inventory what a start would find: that can be, where nothing can be kept. */
  goBack(): void;
}

export interface ControlPlaneOptions {
  readonly log: Log;
  readonly keeper: InventoryKeeper;
  /** As read at the start. */
  readonly config: Config;
  /** The system's, unless told otherwise. */
  readonly clock?: Clock;
}

/**
 * The daemon's wanted state, and the only way to change it: one change after the other, each validated, kept before it is answered, and
 * in effect as a whole or not at all.
 */
export class ControlPlane {
  /** Told of each change, also of what changes beside the inventory. */
  readonly audit: Audit;
  readonly #log: Log;
  readonly #keeper: InventoryKeeper;
  readonly #listeners = new Set<(differences: readonly Difference[]) => void>();
  readonly #numbers: TargetNumbers;
  /** In effect. */
  #config: Config;
  /** As it was read last. */
  #read: Config;
  #parts: PlaneParts | null = null;
  readonly #queue: ChangeQueue;
  /** What could not be taken back so far. */
  #left: readonly Creation[] = [];

  /** @throws {StartError} the configuration names what commands have made */
  constructor({ log, keeper, config, clock = systemClock }: ControlPlaneOptions) {
    this.#log = log;
    this.audit = new Audit(log);
    this.#queue = new ChangeQueue(clock);
    this.#keeper = keeper;
    this.#config = config;
    this.#read = config;
    this.#numbers = new TargetNumbers(keeper.numbers);
    const [collision] = collisionsOf(config, keeper.inventory);
    if (collision !== undefined) {
      throw new StartError(
        `${collision} is in the configuration, and was made by a command, too: take it out of the configuration, or give it another name there`,
      );
    }
    this.#numbers.resolve(merged(config, keeper.inventory));
    for (const problem of checkNumbers(this.view.all)) {
      log.error({}, `${problem}: commands that name this number mean the first of them`);
    }
  }

  get view(): PlaneView {
    const { inventory } = this.#keeper;
    const config = this.#config;
    return { inventory, config, all: this.#numbers.number(merged(config, inventory)) };
  }

  /**
   * Takes back what changes had begun to make when the process ended: pools are open, volumes are not. What has the name of something
   * that is wanted by now is left alone.
   */
  async takeBack(parts: CreationParts): Promise<void> {
    const { creations, inventory, cutOff } = this.#keeper;
    if (cutOff !== null) {
      const changes = audited(cutOff, inventory, differencesOf(cutOff, inventory));
      this.audit.changed({ by: "the start", operation: "take back", changes });
      this.#log.warn(
        {},
        "the first of two changes was taken back: the daemon ended before the second",
      );
    } else if (creations.length === 0) return;
    const { volumes } = this.view.all;
    const paths = [...volumes.values()].map((it) => (it.driver === "raw" ? it.path : null));
    const isUnwanted = (creation: Creation): boolean =>
      creation.kind === "renaming"
        ? namesOf(volumes, creation.pool, creation.to).length === 0
        : !volumes.has(creation.name) &&
          !(creation.kind === "file" && paths.includes(creation.path));
    this.#left = await takeBack(creations.filter(isUnwanted), parts);
    try {
      await this.#keeper.keep(inventory, this.#left);
    } catch (error) {
      this.#log.error({ error }, "the state cannot be kept: what was taken back is tried again");
    }
  }

  /** Everything that is wanted is there: from now on it can be changed. */
  start(parts: PlaneParts): void {
    this.#parts = parts;
    this.#keepNumbers();
  }

  /** No change begins any more: resolves when the one that runs has ended. */
  async close(): Promise<void> {
    this.#parts = null;
    await this.#queue.close();
  }

  /** Called with what each change has made different, of the configuration, too, when that is read again. Returns how to end that. */
  subscribe(listener: (differences: readonly Difference[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What a change would make different. Throws what the change would reject with before anything is tried. */
  preview(edit: Edit): readonly Difference[] {
    const { inventory } = this.#keeper;
    return differencesOf(inventory, this.#checked(edit));
  }

  /**
   * Changes the inventory; resolves with what is different when that is kept and in effect. Rejects with OperationErrors.
   *
   * @param renaming a volume of a pool that gets another name with it; the edit gives what leads to it the new one
   */
  change(
    actor: Actor,
    operation: string,
    edit: Edit,
    renaming?: VolumeRenaming,
  ): Promise<readonly Difference[]> {
    const what = `${operation} of ${actor.name}`;
    return this.#queue.run(what, () => this.#change(actor, operation, edit, { renaming }));
  }

  /**
   * Two changes, one after the other, with nobody's between them; the first is taken back where the second fails, also by the next start
   * where the process ends between them. Rejects with OperationErrors.
   */
  changeInTwo(actor: Actor, operation: string, first: Edit, second: Edit): Promise<void> {
    return this.#queue.run(`${operation} of ${actor.name}`, async () => {
      const before = this.#keeper.inventory;
      const parts = this.#parts;
      await this.#change(actor, operation, first, { backTo: before, isFirst: true });
      try {
        const differences = await this.#change(actor, operation, second, { backTo: before });
        // Where there was nothing left to do, nothing was kept.
        if (differences.length === 0) await this.#keep(this.#keeper.inventory, this.#left);
      } catch (error) {
        // Also where the daemon has begun to stop: that waits for what runs.
        const takeBack = { parts, isTakingBack: true, backTo: before };
        await this.#change(actor, operation, () => before, takeBack).catch((failure: unknown) =>
          this.#staysHalf(error, failure),
        );
        throw error;
      }
    });
  }

  /** What runs is what is kept, then, and not what a start would go back to. */
  async #staysHalf(error: unknown, failure: unknown): Promise<never> {
    const message = "the first of two changes could not be taken back, and stays";
    this.#log.error({ error: failure }, message);
    await this.#keep(this.#keeper.inventory, this.#left).catch((unkept: unknown) =>
      this.#log.error({ error: unkept }, "that it stays cannot be kept: a start takes it back"),
    );
    const kind = error instanceof OperationError ? error.kind : "internal";
    throw new OperationError(kind, `${messageOf(error)}; ${message}: ${messageOf(failure)}`, error);
  }

  /**
   * Does something when all changes before have ended, and lets the next begin when it is done. Errors: busy: the daemon ends, or others
   * take too long.
   *
   * @param what for those that wait; left out: a signal has asked for it, which waits as long as it takes
   */
  exclusively<T>(action: () => Promise<T>, what?: string): Promise<T> {
    if (what !== undefined) return this.#queue.run(what, action);
    return this.#queue.run("SIGHUP", action, { isPatient: true });
  }

  /**
   * Takes up what a reading of the configuration has brought into effect. Called exclusively.
   *
   * @param read what it says, also of what is not there or waits for a restart; null: it could not be read
   */
  adopt(config: Config, read: Config | null = null): void {
    const before = { ...EMPTY_INVENTORY, ...this.#config };
    const after = { ...EMPTY_INVENTORY, ...config };
    const differences = differencesOf(before, after);
    const changes = audited(before, after, differences);
    this.audit.changed({ by: "SIGHUP", operation: "configuration", changes });
    this.#config = config;
    this.#retainNumbers();
    this.#keepNumbers();
    if (read !== null) this.#read = read;
    for (const listener of this.#listeners) listener(differences);
  }

  #checked(edit: Edit): Inventory {
    const after = edit(this.view);
    // The next start has the whole of the configuration, and would find the name taken.
    const [collision] = collisionsOf(this.#read, after);
    if (collision !== undefined) {
      throw new OperationError(
        "exists",
        `${collision} is in the configuration already: change it there`,
      );
    }
    // What was wrong before has to be put right step by step.
    const before = this.#problemsOf(this.#keeper.inventory);
    const problems = addedProblems(before, this.#problemsOf(after));
    if (problems.length > 0) throw new OperationError("invalid", problems.join("; "));
    return after;
  }

  /** With the numbers that targets have been given, beside those that they were told. */
  #problemsOf(inventory: Inventory): readonly string[] {
    const config = this.#config;
    const { targets } = this.#numbers.number(merged(config, inventory));
    const count = config.targets.length;
    return checkInventory(
      { ...config, targets: targets.slice(0, count) },
      { ...inventory, targets: targets.slice(count) },
    );
  }

  /**
   * Throws where a configuration that was read says a number that another target has been given: scripts know that one by it.
   *
   * @throws {StartError} saying so
   */
  refuseNumbers(read: Config): void {
    const { inventory } = this.#keeper;
    const before = checkNumbers(this.view.all);
    const after = checkNumbers(this.#numbers.number(merged(read, inventory)));
    const problems = addedProblems(before, after);
    if (problems.length > 0) throw new StartError(problems.join("; "));
  }

  #retainNumbers(): void {
    this.#numbers.retain(merged(this.#config, this.#keeper.inventory));
  }

  /** Those that were given since something was kept last; in its turn. Without that they are given anew after a restart. */
  #keepNumbers(): void {
    const keep = async (): Promise<void> => {
      const { inventory, numbers } = this.#keeper;
      this.#numbers.number(merged(this.#config, inventory));
      const { given } = this.#numbers;
      if (isDeepStrictEqual(numbers, given)) return;
      await this.#keeper.keep(inventory, this.#left, given);
    };
    this.#queue.run("a start", keep, { isPatient: true }).catch((error: unknown) => {
      this.#log.warn({ error }, "the numbers of targets cannot be kept");
    });
  }

  async #change(
    actor: Actor,
    operation: string,
    edit: Edit,
    { renaming, parts = this.#parts, isTakingBack = false, backTo, isFirst }: ChangeOptions = {},
  ): Promise<readonly Difference[]> {
    if (parts === null) throw new OperationError("busy", "the daemon is starting");
    const before = this.#keeper.inventory;
    const after = this.#checked(edit);
    const differences = differencesOf(before, after);
    if (differences.length === 0 && renaming === undefined) return differences;
    const numbered = (inventory: Inventory): Inventory => {
      const { targets } = this.#numbers.number(merged(this.#config, inventory));
      return { ...inventory, targets: targets.slice(this.#config.targets.length) };
    };
    const options = renaming === undefined ? actor : { ...actor, renaming };
    const transaction = new Transaction(parts, numbered(before), numbered(after), options);
    const creations = await transaction.creations();
    // A start that finds the first of two steps goes back to what was before: until that is kept, it is as it was.
    const meanwhile = isFirst === true ? undefined : backTo;
    if (creations.length > 0) {
      await this.#keep(before, [...this.#left, ...creations], undefined, meanwhile);
    }
    try {
      await transaction.prepare();
      if (this.#queue.isClosed && !isTakingBack) {
        throw new OperationError("busy", "the daemon is stopping");
      }
      const whole = isFirst === true ? backTo : undefined;
      const keeping = this.#keep(after, this.#left, this.#numbers.given, whole);
      await (isTakingBack ? this.#orGoBack(keeping) : keeping);
    } catch (error) {
      await transaction.undo();
      this.#left = [...this.#left, ...transaction.left];
      await this.#keep(before, this.#left, undefined, meanwhile).catch((failure: unknown) =>
        this.#log.error({ error: failure }, "the state could not be put back on stable media"),
      );
      throw error;
    }
    await transaction.commit();
    // What the first step takes away may come back, with the second or instead of it.
    if (isFirst !== true) this.#retainNumbers();
    if (actor.isPart !== true) {
      const changes = [...renamed(renaming), ...audited(before, after, differences)];
      this.audit.changed({ by: actor.name, operation, changes });
    }
    for (const listener of this.#listeners) listener(differences);
    return differences;
  }

  /** What is on stable media leads to what was before already. */
  async #orGoBack(keeping: Promise<void>): Promise<void> {
    try {
      await keeping;
    } catch (error) {
      this.#log.error(
        { error },
        "that a change was taken back cannot be kept: a start does it again",
      );
      this.#keeper.goBack();
    }
  }

  async #keep(
    inventory: Inventory,
    creations: readonly Creation[],
    numbers?: ReadonlyMap<string, number>,
    backTo?: Inventory,
  ): Promise<void> {
    try {
      await this.#keeper.keep(inventory, creations, numbers, backTo);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperationError(
        "io",
        `the state cannot be kept, so nothing was changed: ${reason}`,
        error,
      );
    }
  }
}

/** The volume of a pool itself: what leads to it is in the inventory. */
function renamed(renaming: VolumeRenaming | undefined): readonly AuditedChange[] {
  if (renaming === undefined) return [];
  const { pool, from, to } = renaming;
  const fields = [{ field: "name", before: from, after: to }];
  return [{ action: "change", kind: "volume", name: `${pool}/${from}`, fields }];
}

/** For logs and people: a line for each difference. */
export function describeDifferences(differences: readonly Difference[]): string[] {
  return differences.map(describeDifference);
}
