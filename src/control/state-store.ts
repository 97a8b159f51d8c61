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

/** What is remembered of a volume. */
interface KnownVolume {
  readonly uuid: string;
  /** It was open once, so there is, or was, a disk that initiators know by this identity. */
  readonly made: boolean;
}

/** What a daemon has to remember. Names of volumes that the configuration has no more are kept: they may come back. */
interface State {
  readonly volumes: Map<string, KnownVolume>;
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
  const entries = document["volumes"];
  if (!isRecord(entries)) return "it has no volumes";
  const volumes = new Map<string, KnownVolume>();
  for (const [name, entry] of Object.entries(entries)) {
    const { uuid, made } = isRecord(entry) ? entry : {};
    if (typeof uuid !== "string" || !UUID.test(uuid)) return `its volume "${name}" has no uuid`;
    volumes.set(name, { uuid, made: made === true });
  }
  return { volumes };
}

function encode(state: State): string {
  const volumes = Object.fromEntries(state.volumes);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, volumes }, null, 2)}\n`;
}

export interface StateStoreOptions {
  readonly makeUuid: () => string;
  readonly steps?: ReplacementSteps;
}

/** The daemon's memory across restarts, in a folder that is its own. One daemon has it at a time. */
export class StateStore {
  readonly folder: string;
  readonly #state: State;
  readonly #lockHandle: FileHandle;
  readonly #lock: FileLock;
  readonly #makeUuid: () => string;
  /** What is on stable media, by the name of the volume. */
  readonly #durable: Map<string, KnownVolume>;
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
    this.#durable = new Map(state.volumes);
    this.#lockHandle = held.handle;
    this.#lock = held.lock;
    this.#makeUuid = options.makeUuid;
    this.#steps = options.steps ?? systemSteps;
  }

  /** The identity of the volume of this name: the one it always had, or a new one, which is durable when this resolves. */
  async uuidOf(volumeName: string): Promise<string> {
    const known = this.#state.volumes.get(volumeName) ?? { uuid: this.#makeUuid(), made: false };
    this.#state.volumes.set(volumeName, known);
    if (!this.#durable.has(volumeName)) await this.#save();
    return known.uuid;
  }

  /** Whether the volume of this name was open once. */
  wasMade(volumeName: string): boolean {
    return this.#state.volumes.get(volumeName)?.made === true;
  }

  /** The volume of this name is open, with this identity. That is durable when this resolves. */
  async rememberMade(volumeName: string, uuid: string): Promise<void> {
    this.#state.volumes.set(volumeName, { uuid, made: true });
    const durable = this.#durable.get(volumeName);
    if (durable?.made !== true || durable.uuid !== uuid) await this.#save();
  }

  #save(): Promise<void> {
    // The text is taken when its turn comes: it holds every change up to then.
    const next = this.#writing.then(async () => {
      const written = [...this.#state.volumes];
      await replaceFile(join(this.folder, STATE_FILE), encode(this.#state), this.#steps);
      for (const [name, volume] of written) this.#durable.set(name, volume);
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
    if (codeOf(error) === "ENOENT") return { volumes: new Map() };
    throw new StartError(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  const state = decode(text);
  if (typeof state !== "string") return state;
  throw new StartError(
    `${path} cannot be used: ${state}. It holds the identities of the volumes, so it is left as it is; ` +
      "restore it from a backup, or move it away to start without (initiators will see new disks)",
  );
}
