import type { Log } from "../../util/log.ts";
import { addedProblems, checkInventory } from "../config/check-inventory.ts";
import type { Config } from "../config/config.ts";
import { collisionsOf, type Inventory, merged } from "../config/inventory.ts";
import { OperationError } from "../protocol.ts";
import { StartError } from "../start-error.ts";
import type { Creation } from "../state-document.ts";
import { type Difference, describeDifference, differencesOf } from "./differences.ts";
import { TargetNumbers } from "./numbers.ts";
import { type CreationParts, takeBack } from "./creations.ts";
import { type PlaneParts, Transaction } from "./transaction.ts";

/** Who asks for a change, for the log: a user of the socket, a token's name, a signal. */
export interface Actor {
  readonly name: string;
  /** Initiators may find another disk under a number that they know, in two steps: as tgt's administrators expect it. */
  readonly replacesDisks?: boolean;
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

/** Where the inventory is kept. */
export interface InventoryKeeper {
  readonly inventory: Inventory;
  readonly creations: readonly Creation[];
  keep(inventory: Inventory, creations: readonly Creation[]): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly log: Log;
  readonly keeper: InventoryKeeper;
  /** As read at the start. */
  readonly config: Config;
}

/**
 * The daemon's wanted state, and the only way to change it: one change after the other, each validated, kept before it is answered, and
 * in effect as a whole or not at all.
 */
export class ControlPlane {
  readonly #log: Log;
  readonly #keeper: InventoryKeeper;
  readonly #listeners = new Set<(differences: readonly Difference[]) => void>();
  readonly #numbers = new TargetNumbers();
  /** In effect. */
  #config: Config;
  /** As it was read last. */
  #read: Config;
  #parts: PlaneParts | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** What could not be taken back so far. */
  #left: readonly Creation[] = [];

  /** @throws {StartError} the configuration names what commands have made */
  constructor({ log, keeper, config }: ControlPlaneOptions) {
    this.#log = log;
    this.#keeper = keeper;
    this.#config = config;
    this.#read = config;
    const [collision] = collisionsOf(config, keeper.inventory);
    if (collision === undefined) return;
    throw new StartError(
      `${collision} is in the configuration, and was made by a command, too: take it out of the configuration, or give it another name there`,
    );
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
    const { creations, inventory } = this.#keeper;
    if (creations.length === 0) return;
    const { volumes } = this.view.all;
    const paths = [...volumes.values()].map((it) => (it.driver === "raw" ? it.path : null));
    const isUnwanted = (creation: Creation): boolean =>
      !volumes.has(creation.name) && !(creation.kind === "file" && paths.includes(creation.path));
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
  }

  /** No change begins any more: resolves when the one that runs has ended. */
  async close(): Promise<void> {
    this.#parts = null;
    this.#isClosed = true;
    await this.#queue;
  }

  /** Called with what each change has made different. Returns how to end that. */
  subscribe(listener: (differences: readonly Difference[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What a change would make different. Throws what the change would reject with before anything is tried. */
  preview(edit: Edit): readonly Difference[] {
    const { inventory } = this.#keeper;
    return differencesOf(inventory, this.#checked(edit));
  }

  /** Changes the inventory; resolves with what is different when that is kept and in effect. Rejects with OperationErrors. */
  change(actor: Actor, operation: string, edit: Edit): Promise<readonly Difference[]> {
    return this.exclusively(() => this.#change(actor, operation, edit));
  }

  /** Does something when all changes before have ended, and lets the next begin when it is done. Errors: busy: the daemon ends. */
  exclusively<T>(action: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(() => {
      if (this.#isClosed) throw new OperationError("busy", "the daemon is stopping");
      return action();
    });
    this.#queue = next.catch(() => undefined);
    return next;
  }

  /**
   * Takes up what a reading of the configuration has brought into effect. Called exclusively.
   *
   * @param read what it says, also of what is not there or waits for a restart; null: it could not be read
   */
  adopt(config: Config, read: Config | null = null): void {
    this.#config = config;
    this.#numbers.retain(this.view.all);
    if (read !== null) this.#read = read;
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

  async #change(actor: Actor, operation: string, edit: Edit): Promise<readonly Difference[]> {
    const parts = this.#parts;
    if (parts === null) throw new OperationError("busy", "the daemon is starting");
    const before = this.#keeper.inventory;
    const after = this.#checked(edit);
    const differences = differencesOf(before, after);
    if (differences.length === 0) return differences;
    const numbered = (inventory: Inventory): Inventory => {
      const { targets } = this.#numbers.number(merged(this.#config, inventory));
      return { ...inventory, targets: targets.slice(this.#config.targets.length) };
    };
    const transaction = new Transaction(parts, numbered(before), numbered(after), actor);
    const creations = await transaction.creations();
    if (creations.length > 0) await this.#keep(before, [...this.#left, ...creations]);
    try {
      await transaction.prepare();
      if (this.#isClosed) throw new OperationError("busy", "the daemon is stopping");
      await this.#keep(after, this.#left);
    } catch (error) {
      await transaction.undo();
      this.#left = [...this.#left, ...transaction.left];
      await this.#keep(before, this.#left).catch((failure: unknown) =>
        this.#log.error({ error: failure }, "the state could not be put back on stable media"),
      );
      throw error;
    }
    await transaction.commit();
    this.#numbers.retain(this.view.all);
    for (const difference of differences) {
      const { action, kind, name, fields } = difference;
      this.#log.info({ by: actor.name, operation, action, kind, name, fields }, "changed");
    }
    for (const listener of this.#listeners) listener(differences);
    return differences;
  }

  async #keep(inventory: Inventory, creations: readonly Creation[]): Promise<void> {
    try {
      await this.#keeper.keep(inventory, creations);
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

/** For logs and people: a line for each difference. */
export function describeDifferences(differences: readonly Difference[]): string[] {
  return differences.map(describeDifference);
}
