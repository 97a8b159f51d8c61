import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type FileLock, FileLockedError, lockFile } from "../../native-free/file-lock.ts";
import { type ReplacementSteps, replaceFile, systemSteps } from "./durable-file.ts";
import type { Inventory } from "./config/inventory.ts";
import { codeOf, messageOf, StartError } from "./start-error.ts";
import {
  type Creation,
  decodeState,
  EMPTY_STATE,
  encodeState,
  type Known,
  type State,
} from "./state-document.ts";

const STATE_FILE = "state.json";
const LOCK_FILE = "lock";
/** The state before the last change, as it was. */
const PREVIOUS_SUFFIX = ".1";

type Section = "volumes" | "pools";

/** Where identities are kept, over restarts. */
export interface Identities {
  /** The identity of what has this name: the one it always had, or a new one, which is durable when this resolves. */
  uuidOf(name: string): Promise<string>;
  /** Whether it was open once. */
  wasMade(name: string): boolean;
  /** It is open, with this identity. That is durable when this resolves. */
  rememberMade(name: string, uuid: string): Promise<void>;
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
      await makeFolder(folder, options.steps ?? systemSteps);
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
    this.#lockHandle = held.handle;
    this.#lock = held.lock;
    this.#makeUuid = options.makeUuid;
    this.#steps = options.steps ?? systemSteps;
  }

  #identitiesOf(section: Section): Identities {
    return {
      uuidOf: (name) => this.#uuidOf(section, name),
      wasMade: (name) => this.#state[section].get(name)?.made === true,
      rememberMade: (name, uuid) => this.#rememberMade(section, name, uuid),
      forget: (name) => this.#forget(section, name),
    };
  }

  async #uuidOf(section: Section, name: string): Promise<string> {
    const known = this.#state[section].get(name) ?? { uuid: this.#makeUuid(), made: false };
    this.#set(section, name, known);
    if (!this.#durable[section].has(name)) await this.#save();
    return known.uuid;
  }

  async #rememberMade(section: Section, name: string, uuid: string): Promise<void> {
    this.#set(section, name, { uuid, made: true });
    const durable = this.#durable[section].get(name);
    if (durable?.made !== true || durable.uuid !== uuid) await this.#save();
  }

  async #forget(section: Section, name: string): Promise<void> {
    const entries = new Map(this.#state[section]);
    if (!entries.delete(name)) return;
    this.#state = { ...this.#state, [section]: entries };
    await this.#save();
  }

  #set(section: Section, name: string, known: Known): void {
    const entries = new Map(this.#state[section]).set(name, known);
    this.#state = { ...this.#state, [section]: entries };
  }

  /** What commands have made, as it was kept last. */
  get inventory(): Inventory {
    return this.#durable.inventory;
  }

  /** What was being made when the process ended. */
  get creations(): readonly Creation[] {
    return this.#durable.creations;
  }

  /**
   * Keeps an inventory, and with it what is being made for one that is to come; durable when this resolves. Where it rejects, the file may
   * have either: the caller keeps the one before once more.
   */
  keep(inventory: Inventory, creations: readonly Creation[]): Promise<void> {
    return this.#save({ inventory, creations });
  }

  #save(change: Partial<Pick<State, "inventory" | "creations">> = {}): Promise<void> {
    // The text is taken when its turn comes: it holds every identity up to then, and no inventory that could not be kept.
    const next = this.#writing.then(async () => {
      if (this.#isClosed) throw new Error("the state folder is another daemon's by now");
      const path = join(this.folder, STATE_FILE);
      const state = { ...this.#state, ...change };
      await this.#steps.keepPrevious(path, `${path}${PREVIOUS_SUFFIX}`);
      await replaceFile(path, encodeState(state), this.#steps);
      this.#state = { ...this.#state, ...change };
      this.#durable = state;
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

/** Makes a folder with those that it lies in, as far as they are missing, so that none is lost with the power. */
async function makeFolder(folder: string, steps: ReplacementSteps): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  let path = resolve(folder);
  while (path !== top) {
    path = dirname(path);
    await steps.syncFolder(path);
  }
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
