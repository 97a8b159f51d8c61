import type { AdminWorld } from "./world.ts";

/** Ends the command with a status; everything to be said has been said. */
export class AdminEnd extends Error {
  override readonly name = "AdminEnd";
  readonly status: number;

  constructor(status: number) {
    super(`ended with status ${status}`);
    this.status = status;
  }
}

/** A command line of tgtadm: as it is shown, as one would type it, and its words. */
export interface Command {
  readonly shown: string;
  readonly words: readonly string[];
}

/** Runs tgtadm, or only tells what would be run. */
export class Runner {
  readonly #world: AdminWorld;
  readonly #isPretending: boolean;
  readonly #isVerbose: boolean;
  ignoresErrors: boolean;
  /** Of the daemon that is spoken to. */
  readonly controlPort: string;

  constructor(
    world: AdminWorld,
    controlPort: string,
    flags: { readonly pretend: boolean; readonly verbose: boolean; readonly ignoreErrors: boolean },
  ) {
    this.#world = world;
    this.controlPort = controlPort;
    this.#isPretending = flags.pretend;
    this.#isVerbose = flags.verbose;
    this.ignoresErrors = flags.ignoreErrors;
  }

  get isPretending(): boolean {
    return this.#isPretending;
  }

  /** Tells what is done or not done, where that is wanted. */
  note(line: string): void {
    if (this.#isPretending || this.#isVerbose) this.#world.print(`${line}\n`);
  }

  /** Runs a command. Throws {@link AdminEnd} where it fails and errors count. */
  async execute({ shown, words }: Command): Promise<void> {
    const all = `tgtadm -C ${this.controlPort} ${shown}`;
    this.note(all);
    if (this.#isPretending) return;
    const { status, stdout, stderr } = await this.#world.tgtadm(["-C", this.controlPort, ...words]);
    this.#world.print(stdout);
    this.#world.complain(stderr);
    if (status === 0 || this.ignoresErrors) return;
    this.#world.print(`Command:\n\t${all}\nexited with code: ${status}.\n`);
    throw new AdminEnd(status);
  }

  /** What tgtadm shows, also when only pretending; nothing where it fails. */
  async show(mode: string, ...more: readonly string[]): Promise<string> {
    const words = ["-C", this.controlPort, "--op", "show", "--mode", mode, ...more];
    const { stdout, stderr } = await this.#world.tgtadm(words);
    this.#world.complain(stderr);
    return stdout;
  }
}

/** A command of plain words, which is shown as it is. */
export function plain(...words: readonly string[]): Command {
  return { shown: words.join(" "), words };
}
