import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type FileLock, FileLockedError, lockFile } from "../../native-free/file-lock.ts";
import { type ReplacementSteps, replaceFile, systemSteps } from "./durable-file.ts";
import { codeOf, messageOf, StartError } from "./start-error.ts";

const STATE_FILE = "state.json";
const LOCK_FILE = "lock";
const FORMAT = "thinlun state";
const VERSION = 1;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is remembered of a volume or a pool. */
interface Known {
  readonly uuid: string;
  /** It was open once, so there is, or was, a disk that initiators know by this identity. */
  readonly made: boolean;
}

/** What a daemon has to remember. Names that the configuration has no more are kept: they may come back. */
interface State {
  readonly volumes: Map<string, Known>;
  readonly pools: Map<string, Known>;
}

type Section = keyof State;

const SECTIONS: readonly Section[] = ["volumes", "pools"];

/** Where identities are kept, over restarts. */
export interface Identities {
  /** The identity of what has this name: the one it always had, or a new one, which is durable when this resolves. */
  uuidOf(name: string): Promise<string>;
  /** Whether it was open once. */
  wasMade(name: string): boolean;
  /** It is open, with this identity. That is durable when this resolves. */
  rememberMade(name: string, uuid: string): Promise<void>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The file's content, checked; a text says what is wrong with it. */
function decode(text: string): State | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return `it is not JSON (${messageOf(error)})`;
  }
  if (!isRecord(document) || document["format"] !== FORMAT) return "it is not a state file";
  const version = document["version"];
  if (typeof version !== "number" || version < 1) return "it has no version";
  if (version > VERSION) return `it was written by a newer version of thinlun (format ${version})`;
  const volumes = decodeSection(document["volumes"], "volume");
  if (typeof volumes === "string") return volumes;
  // States from before there were pools have none.
  const pools = decodeSection(document["pools"] ?? {}, "pool");
  return typeof pools === "string" ? pools : { volumes, pools };
}

function decodeSection(entries: unknown, what: string): Map<string, Known> | string {
  if (!isRecord(entries)) return `it has no ${what}s`;
  const section = new Map<string, Known>();
  for (const [name, entry] of Object.entries(entries)) {
    const { uuid, made } = isRecord(entry) ? entry : {};
    if (typeof uuid !== "string" || !UUID.test(uuid)) return `its ${what} "${name}" has no uuid`;
    section.set(name, { uuid, made: made === true });
  }
  return section;
}

function encode(state: State): string {
  const volumes = Object.fromEntries(state.volumes);
  const pools = Object.fromEntries(state.pools);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, volumes, pools }, null, 2)}\n`;
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
  readonly #state: State;
  readonly #lockHandle: FileHandle;
  readonly #lock: FileLock;
  readonly #makeUuid: () => string;
  /** What is on stable media. */
  readonly #durable: State;
  readonly #steps: ReplacementSteps;
  /** Changes are written one after the other. */
  #writing: Promise<void> = Promise.resolve();

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
    this.#durable = { volumes: new Map(state.volumes), pools: new Map(state.pools) };
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
    };
  }

  async #uuidOf(section: Section, name: string): Promise<string> {
    const known = this.#state[section].get(name) ?? { uuid: this.#makeUuid(), made: false };
    this.#state[section].set(name, known);
    if (!this.#durable[section].has(name)) await this.#save();
    return known.uuid;
  }

  async #rememberMade(section: Section, name: string, uuid: string): Promise<void> {
    this.#state[section].set(name, { uuid, made: true });
    const durable = this.#durable[section].get(name);
    if (durable?.made !== true || durable.uuid !== uuid) await this.#save();
  }

  #save(): Promise<void> {
    // The text is taken when its turn comes: it holds every change up to then.
    const next = this.#writing.then(async () => {
      const written = SECTIONS.map((section) => [section, [...this.#state[section]]] as const);
      await replaceFile(join(this.folder, STATE_FILE), encode(this.#state), this.#steps);
      for (const [section, entries] of written) {
        for (const [name, known] of entries) this.#durable[section].set(name, known);
      }
    });
    this.#writing = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#writing;
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
    if (codeOf(error) === "ENOENT") return { volumes: new Map(), pools: new Map() };
    throw new StartError(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  const state = decode(text);
  if (typeof state !== "string") return state;
  throw new StartError(
    `${path} cannot be used: ${state}. It holds the identities of the volumes, so it is left as it is; ` +
      "restore it from a backup, or move it away to start without (initiators will see new disks)",
  );
}
