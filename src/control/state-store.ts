import { type FileHandle, open, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { assert } from "../util/assert.ts";
import { type FileLock, FileLockedError, lockFile } from "../../native-free/file-lock.ts";
import { makeFolder } from "../../native-free/make-folder.ts";
import { type ReplacementSteps, replaceFile, systemSteps } from "./durable-file.ts";
import type { Inventory } from "./config/inventory.ts";
import { isAt } from "./disk-place.ts";
import { codeOf, messageOf, StartError } from "./start-error.ts";
import {
  type Creation,
  decodeState,
  type Disk,
  EMPTY_STATE,
  encodeState,
  type Known,
  type Place,
  type State,
} from "./state-document.ts";

const STATE_FILE = "state.json";
const LOCK_FILE = "lock";
/** The state before the last change, as it was. */
const PREVIOUS_SUFFIX = ".1";

/** How many disks that have had a name are known beside the latest: more than anybody goes to and fro between. */
const FORMER_MAX = 8;

type Section = "volumes" | "pools";

/** Where identities are kept, over restarts. */
export interface Identities {
  /**
   * The identity of what has this name: the one it always had, or a new one, which is durable when this resolves.
   *
   * @param place where it is to lie: what had the name elsewhere is another disk; left out: wherever it lies
   */
  uuidOf(name: string, place?: Place): Promise<string>;
  /** What has had this name, the latest first. */
  disksOf(name: string): readonly Disk[];
  /** Whether it was open once. */
  wasMade(name: string): boolean;
  /** It is open, with this identity, there. That is durable when this resolves. */
  rememberMade(name: string, uuid: string, place?: Place): Promise<void>;
  /** What had this name is gone for good: who has it next is another. Durable when this resolves. */
  forget(name: string): Promise<void>;
}

export interface StateStoreOptions {
  readonly makeUuid: () => string;
  readonly steps?: ReplacementSteps;
}

/** The daemon's memory across restarts, in a folder that is its own. One daemon has it at a time. */
export class StateStore {
  readonly folder: string;
  readonly volumes: Identities = this.#identitiesOf("volumes");
  readonly pools: Identities = this.#identitiesOf("pools");
  #state: State;
  readonly #lockHandle: FileHandle;
  readonly #lock: FileLock;
  readonly #makeUuid: () => string;
  /** What is on stable media. */
  #durable: State;
  readonly #steps: ReplacementSteps;
  #cutOff: Inventory | null = null;
  /** Changes are written one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /**
   * Makes the folder where it is missing, takes it for this process, and reads what is in it.
   *
   * @throws {StartError} another daemon has it, or its content is not understood (which is left alone)
   */
  static async open(folder: string, options: StateStoreOptions): Promise<StateStore> {
    let handle: FileHandle;
    try {
      await makeStateFolder(folder, options.steps ?? systemSteps);
      handle = await open(join(folder, LOCK_FILE), "a", 0o600);
    } catch (error) {
      throw new StartError(
        `the state folder ${folder} cannot be used: ${messageOf(error)}; choose another with --state-dir`,
        error,
      );
    }
    try {
      const lock = await lockFile(handle.fd, join(folder, LOCK_FILE));
      return new StateStore(folder, await readState(folder), { handle, lock }, options);
    } catch (error) {
      await handle.close();
      if (!(error instanceof FileLockedError)) throw error;
      throw new StartError(
        `another thinlun is running with the state folder ${folder} (${error.message}); stop it, or choose another folder with --state-dir`,
        error,
      );
    }
  }

  private constructor(
    folder: string,
    state: State,
    held: { handle: FileHandle; lock: FileLock },
    options: StateStoreOptions,
  ) {
    this.folder = folder;
    this.#state = state;
    this.#durable = state;
    if (state.backTo !== undefined) {
      this.#cutOff = state.inventory;
      this.goBack();
    }
    this.#lockHandle = held.handle;
    this.#lock = held.lock;
    this.#makeUuid = options.makeUuid;
    this.#steps = options.steps ?? systemSteps;
  }

  #identitiesOf(section: Section): Identities {
    return {
      uuidOf: (name, place) => this.#uuidOf(section, name, place),
      disksOf: (name) => disksOf(this.#state[section].get(name)),
      wasMade: (name) => disksOf(this.#state[section].get(name)).some(({ made }) => made),
      rememberMade: (name, uuid, place) => this.#rememberMade(section, name, { uuid, place }),
      forget: (name) => this.#forget(section, name),
    };
  }

  async #uuidOf(section: Section, name: string, place: Place | undefined): Promise<string> {
    const disks = disksOf(this.#state[section].get(name));
    const here = (disk: Disk): boolean => place === undefined || isAt(disk, place);
    let known = disks.find(here);
    if (known === undefined) {
      known = { uuid: this.#makeUuid(), made: false, ...(place === undefined ? {} : { place }) };
      this.#set(section, name, [known, ...disks]);
    }
    const { uuid } = known;
    const durable = disksOf(this.#durable[section].get(name));
    if (!durable.some((disk) => disk.uuid === uuid)) await this.#save();
    return uuid;
  }

  async #rememberMade(
    section: Section,
    name: string,
    { uuid, place }: { readonly uuid: string; readonly place: Place | undefined },
  ): Promise<void> {
    const disks = disksOf(this.#state[section].get(name));
    const lies = place ?? disks.find((disk) => disk.uuid === uuid)?.place;
    const made = { uuid, made: true, ...(lies === undefined ? {} : { place: lies }) };
    this.#set(section, name, [made, ...disks.filter((disk) => disk.uuid !== uuid)]);
    const isDurable = isDeepStrictEqual(
      this.#durable[section].get(name),
      this.#state[section].get(name),
    );
    if (!isDurable) await this.#save();
  }

  async #forget(section: Section, name: string): Promise<void> {
    const entries = new Map(this.#state[section]);
    if (!entries.delete(name)) return;
    this.#state = { ...this.#state, [section]: entries };
    await this.#save();
  }

  /** Of those before the latest, only such are kept as initiators may know. */
  #set(section: Section, name: string, [latest, ...others]: readonly [Disk, ...Disk[]]): void {
    const former = others.filter(({ made }) => made).slice(0, FORMER_MAX);
    const known = former.length === 0 ? latest : { ...latest, former };
    const entries = new Map(this.#state[section]).set(name, known);
    this.#state = { ...this.#state, [section]: entries };
  }

  /** What commands have made, as it was kept last. */
  get inventory(): Inventory {
    return this.#durable.inventory;
  }

  /** Of a change in two steps that the end of the process has cut off: what its first had made. Null: there was none, or something was kept since. */
  get cutOff(): Inventory | null {
    return this.#cutOff;
  }

  /** Takes the inventory for the one in effect that a start would find. */
  goBack(): void {
    const { backTo, ...state } = this.#state;
    assert(backTo !== undefined, "the state leads back");
    this.#state = { ...state, inventory: backTo };
    this.#durable = { ...this.#durable, inventory: backTo };
  }

  /** What was being made when the process ended. */
  get creations(): readonly Creation[] {
    return this.#durable.creations;
  }

  /** By which targets are known to which nobody has said one. */
  get numbers(): ReadonlyMap<string, number> {
    return this.#durable.numbers;
  }

  /**
   * Keeps an inventory, and with it what is being made for one that is to come; durable when this resolves. Where it rejects, the file may
   * have either: the caller keeps the one before once more.
   *
   * @param numbers of targets; left out: those before
   * @param backTo what a start finds instead, until something is kept without it
   */
  keep(
    inventory: Inventory,
    creations: readonly Creation[],
    numbers?: ReadonlyMap<string, number>,
    backTo?: Inventory,
  ): Promise<void> {
    return this.#save({ inventory, creations, numbers, backTo });
  }

  #save(change: Kept | null = null): Promise<void> {
    // The text is taken when its turn comes: it holds every identity up to then, and no inventory that could not be kept.
    const next = this.#writing.then(async () => {
      if (this.#isClosed) throw new Error("the state folder is another daemon's by now");
      const path = join(this.folder, STATE_FILE);
      const state = changed(this.#state, change);
      await this.#steps.keepPrevious(path, `${path}${PREVIOUS_SUFFIX}`);
      await replaceFile(path, encodeState(state), this.#steps).catch((error: unknown) => {
        // What the system says does not always name a file.
        throw new StartError(`${path} cannot be written: ${messageOf(error)}`, error);
      });
      this.#state = changed(this.#state, change);
      this.#durable = state;
      if (change !== null) this.#cutOff = null;
    });
    this.#writing = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#writing;
    this.#isClosed = true;
    await this.#lockHandle.close();
    await this.#lock.release();
  }
}

/** What {@link StateStore.keep} is given. */
interface Kept extends Pick<State, "inventory" | "creations"> {
  readonly numbers: State["numbers"] | undefined;
  readonly backTo: Inventory | undefined;
}

function changed(state: State, change: Kept | null): State {
  if (change === null) return state;
  const { backTo: _, ...others } = state;
  const { backTo, inventory, creations, numbers = state.numbers } = change;
  const kept = { ...others, inventory, creations, numbers };
  return backTo === undefined ? kept : { ...kept, backTo };
}

/** Makes a folder with those that it lies in, as far as they are missing, so that none is lost with the power. */
async function makeStateFolder(folder: string, steps: ReplacementSteps): Promise<void> {
  const first = await makeFolder(folder, 0o700);
  if (first === undefined) return;
  const top = dirname(resolve(first));
  let path = resolve(folder);
  while (path !== top) {
    path = dirname(path);
    await steps.syncFolder(path);
  }
}

/** What has had a name, the latest first. */
function disksOf(known: Known | undefined): readonly Disk[] {
  if (known === undefined) return [];
  const { former = [], ...latest } = known;
  return [latest, ...former];
}

async function readState(folder: string): Promise<State> {
  const path = join(folder, STATE_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return EMPTY_STATE;
    throw new StartError(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  const state = decodeState(text);
  if (typeof state !== "string") return state;
  const previous = `${path}${PREVIOUS_SUFFIX}`;
  const advice = (await isGood(previous))
    ? `the one before the last change is good: mv ${previous} ${path}`
    : "restore it from a backup, or move it away to start without (initiators will see new disks)";
  throw new StartError(
    `${path} cannot be used: ${state}. It holds the identities of the volumes, so it is left as it is; ${advice}`,
  );
}

async function isGood(path: string): Promise<boolean> {
  try {
    return typeof decodeState(await readFile(path, "utf8")) !== "string";
  } catch {
    return false;
  }
}
