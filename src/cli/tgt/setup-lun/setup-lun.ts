import type { Ending } from "../ending.ts";
import { setupLunHelp } from "./help.ts";
import { parseSetupWords, type SetupWords } from "./options.ts";
import { firstFree, parseShownTargets, type ShownTarget } from "./shown-targets.ts";

/** What tgt-setup-lun speaks to: strings with one character a byte. */
export interface SetupSurroundings {
  /** How it was called. */
  readonly calledAs: string;
  /** Of this host, without the domain. */
  readonly hostName: string;
  /** Runs a command line of tgtadm. */
  readonly tgtadm: (words: readonly string[]) => Promise<Ending>;
  /** Prints to standard output. */
  readonly print: (text: string) => void;
  /** Prints to standard error. */
  readonly complain: (text: string) => void;
  /** One line of the standard input, without blanks around it. */
  readonly ask: (question: string) => Promise<string>;
}

const FAILED = 1;

/** ENOTCONN: how tgtadm ends where there is no daemon. */
const NO_DAEMON_STATUS = 107;

/** What the script ends up with where the target that it has just made is not listed: -1 in eight bits. */
const LOST_LUN = 255;

const EVERYBODY = "ALL";

/** Makes a target with a LUN, or adds a LUN to a target. Returns the exit status. */
export async function setupLun(
  words: readonly string[],
  surroundings: SetupSurroundings,
): Promise<number> {
  const { calledAs, print, complain, hostName } = surroundings;
  const program = calledAs.slice(calledAs.lastIndexOf("/") + 1);
  const asked = parseSetupWords(words);
  for (const complaint of asked.complaints) complain(`${calledAs}: ${complaint}\n`);
  if (words.length === 0 || asked.wantsHelp) {
    print(setupLunHelp(program));
    return FAILED;
  }
  if (asked.device === "" && asked.bsType !== "null") {
    print("Error: a device is mandatory\n");
    return FAILED;
  }
  const port = asked.controlPort === "" ? [] : ["-C", asked.controlPort];
  const probe = await surroundings.tgtadm([...port, "--op", "show", "--mode", "system"]);
  if (probe.status === NO_DAEMON_STATUS) {
    print("tgtd is not running\nExiting...\n");
    return FAILED;
  }
  if (asked.controlPort !== "") print(`Control port: ${asked.controlPort}\n`);
  print(`Using transport: ${asked.driver}\n`);
  const name = asked.name.startsWith("iqn")
    ? asked.name
    : `iqn.2001-04.com.${hostName}-${asked.name}`;
  return new Setup(asked, name, port, surroundings).run();
}

/** One run, once it is clear what is wanted. */
class Setup {
  readonly #asked: SetupWords;
  readonly #name: string;
  readonly #port: readonly string[];
  readonly #surroundings: SetupSurroundings;

  constructor(
    asked: SetupWords,
    name: string,
    port: readonly string[],
    surroundings: SetupSurroundings,
  ) {
    this.#asked = asked;
    this.#name = name;
    this.#port = port;
    this.#surroundings = surroundings;
  }

  async run(): Promise<number> {
    const isNew = (await this.#find()) === undefined;
    const id = isNew ? await this.#create() : await this.#chooseExisting();
    if (id === undefined) return FAILED;
    if (!(await this.#addLun(id))) return this.#giveUp(id, isNew);
    const isOpen = await this.#letIn(id);
    return isOpen ? 0 : this.#giveUp(id, isNew);
  }

  #print(line: string): void {
    this.#surroundings.print(`${line}\n`);
  }

  /** Runs tgtadm for the transport, and lets it complain. Returns what it printed, or undefined where it failed. */
  async #tgtadm(...words: readonly string[]): Promise<string | undefined> {
    const all = [...this.#port, "--lld", this.#asked.driver, ...words];
    const { status, stdout, stderr } = await this.#surroundings.tgtadm(all);
    if (stderr !== "") this.#surroundings.complain(stderr);
    return status === 0 ? stdout : undefined;
  }

  async #targets(): Promise<ShownTarget[]> {
    return parseShownTargets((await this.#tgtadm("--op", "show", "--mode", "target")) ?? "");
  }

  async #find(): Promise<ShownTarget | undefined> {
    return (await this.#targets()).find(({ name }) => name === this.#name);
  }

  async #create(): Promise<number | undefined> {
    const ids = (await this.#targets()).map(({ id }) => id);
    const id = firstFree(ids, 1);
    const what = `(name=${this.#name}, tid=${id})`;
    this.#print(`Creating new target ${what}`);
    const words = ["--op", "new", "--mode", "target", "--tid", `${id}`, "-T", this.#name];
    if ((await this.#tgtadm(...words)) !== undefined) return id;
    this.#print(`Error: failed to create target ${what}`);
    return undefined;
  }

  /** The id of the target of that name, if another LUN is wanted there. */
  async #chooseExisting(): Promise<number | undefined> {
    this.#print(`Error: target named ${this.#name} already exists`);
    const question = "Add a new lun to the existing target? (yes/NO): ";
    const answer = await this.#surroundings.ask(question);
    return answer === "yes" ? (await this.#find())?.id : undefined;
  }

  async #addLun(id: number): Promise<boolean> {
    const { device, bsType, blockSize } = this.#asked;
    const target = (await this.#targets()).find((each) => each.id === id);
    if (target === undefined) this.#print(`Error: could not find a LUN for target ${id}`);
    const lun = target === undefined ? LOST_LUN : firstFree(target.luns, 0);
    this.#print(`Adding a logical unit (${device}) to target, tid=${id}`);
    if (bsType !== "") this.#print(`Setting backing store type: ${bsType}`);
    const words = ["--op", "new", "--mode", "logicalunit", "--tid", `${id}`, "--lun", `${lun}`];
    // For the script, null needs a device, too: without one it passes the wrong words on.
    if (device !== "") words.push("-b", device);
    if (bsType !== "") words.push("-E", bsType);
    if (blockSize !== "") words.push("--blocksize", blockSize);
    if ((await this.#tgtadm(...words)) !== undefined) return true;
    this.#print(`Error: failed to add a logical unit (${device}) to target, tid=${id}`);
    return false;
  }

  /** False where everybody should be let in, and cannot. */
  async #letIn(id: number): Promise<boolean> {
    const { initiators } = this.#asked;
    const acl = (await this.#targets()).find((each) => each.id === id)?.acl ?? [];
    if (initiators.length > 0) {
      this.#print(`Accepting connections from ${initiators.join(" ")}`);
      for (const initiator of initiators) {
        if (acl.includes(initiator) || (await this.#bind(id, initiator))) continue;
        this.#print(`Error: could not assign initiator ${initiator} to the target`);
      }
      return true;
    }
    if (acl.includes(EVERYBODY)) return true;
    this.#print("Accepting connections from all initiators");
    if (await this.#bind(id, EVERYBODY)) return true;
    this.#print("Error: failed to set access for all initiators");
    return false;
  }

  async #bind(id: number, initiator: string): Promise<boolean> {
    const words = ["--op", "bind", "--mode", "target", "--tid", `${id}`, "-I", initiator];
    return (await this.#tgtadm(...words)) !== undefined;
  }

  /** Takes back the target that this run has made. */
  async #giveUp(id: number, isNew: boolean): Promise<number> {
    if (!isNew) return FAILED;
    this.#print(`Deleting new target, tid=${id}`);
    if (
      (await this.#tgtadm("--op", "delete", "--mode", "target", "--tid", `${id}`)) === undefined
    ) {
      this.#print(`Error: failed to delete target, tid=${id}`);
    }
    return FAILED;
  }
}
